"""Receive the redirect of a login, on a local port or as a line that the user pastes.

Browsers and terminals block, so threads do the work and put the result into a future.
"""

from __future__ import annotations

import logging
import os
import socket
import socketserver
import webbrowser
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from errno import EADDRNOTAVAIL, EAFNOSUPPORT
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

from scapi._auth.oauth import Redirect
from scapi._base import validation
from scapi.exceptions import LoginError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


logger = logging.getLogger("scapi")

PROMPT = """Open this URL in a browser and log in:

{url}

The browser then goes to an address that begins with {redirect_uri}, whether or not a page is shown there.
Paste that address here: """

PAGE = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Done</title>
<body style="font: 1.2em system-ui, sans-serif; display: grid; place-content: center; min-height: 90vh">
<h1>That's it</h1><p>You can close this window and go back to the program.</p></body></html>
"""

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    # The URL of this page contains the code.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Connection": "close",
}

#: The two addresses of `localhost`.
LOCALHOST = ("127.0.0.1", "::1")

#: Error numbers for an address family that this machine doesn't have.
NO_SUCH_FAMILY = {EADDRNOTAVAIL, EAFNOSUPPORT}

#: How long a browser may keep a connection open without sending a request, in seconds. Browsers often do.
IDLE_TIMEOUT = 10.0


class _PendingLogin(NamedTuple):
    """The redirect URI and state of one login.

    Attributes:
        port: The port.
        path: The path of the redirect URI.
        state: The state that the redirect must contain.
        arrived: The future that gets the redirect.
    """

    port: int
    path: str
    state: str
    arrived: Future[Redirect]

    def accepts_host(self, host: str) -> bool:
        """Return whether a `Host` header names this machine. Any other name may be DNS rebinding."""
        try:
            parts = urlsplit(f"//{host}")
            return parts.hostname in validation.LOOPBACK and (parts.port or 80) == self.port
        except ValueError:
            return False


@contextmanager
def listen(redirect_uri: str, state: str) -> Generator[Future[Redirect]]:
    """Listen at a redirect URI during the `with` block.

    A request without the state of this login is rejected, and listening continues: any page that the user visits can
    send their browser here.

    Args:
        redirect_uri: A URI of this machine. Its default port is 80.
        state: The state that the redirect must contain.

    Yields:
        A future that gets the redirect.

    Raises:
        LoginError: The port is taken.
    """
    parts = urlsplit(redirect_uri)
    login = _PendingLogin(80 if parts.port is None else parts.port, parts.path or "/", state, _future())
    servers = _servers(parts.hostname or "", login)
    for server in servers:
        Thread(target=server.serve_forever, args=(0.05,), name="scapi-login", daemon=True).start()
    try:
        yield login.arrived
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _servers(host: str, login: _PendingLogin) -> list[_Server]:
    """Listen at a host. For `localhost` that is both of its addresses, because the browser may choose either.

    Another user of this machine could listen at a free one and receive the code.
    """
    hosts = LOCALHOST if host == "localhost" else (host,)
    servers: list[_Server] = []
    for address in hosts:
        try:
            servers.append(_Server(address, login))
        except OSError as cause:
            # A machine may have only IPv4 or only IPv6.
            if cause.errno in NO_SUCH_FAMILY and (servers or address != hosts[-1]):
                continue
            for server in servers:
                server.server_close()
            raise LoginError(
                f"can't listen on port {login.port} of {address} ({cause.strerror}); end the program that uses it, "
                "or pass login(port=...) with the port of another redirect URI that is registered for the application"
            ) from cause
    return servers


def send_user(
    url: str, redirect_uri: str, arrived: Future[Redirect], *, open_browser: bool, ask: Callable[[str], str]
) -> None:
    """Open the browser, or ask the user to paste the URL that theirs ended at. Returns at once.

    Args:
        url: The login URL.
        redirect_uri: The redirect URI of the login.
        arrived: The future that gets the pasted redirect or the error.
        open_browser: Whether to try a browser first.
        ask: Shows a text to the user and returns the line that they enter, as `input` does.
    """

    def guide() -> None:
        try:
            if not (open_browser and _open(url)):
                _put(arrived, Redirect(ask(PROMPT.format(url=url, redirect_uri=redirect_uri))))
        except Exception as cause:  # noqa: BLE001  # any error, such as EOFError, goes into the future
            _fail(arrived, cause)

    # Some browsers run in the terminal and block it, and so does every prompt.
    Thread(target=guide, name="scapi-login-user", daemon=True).start()


def _open(url: str) -> bool:
    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return False


def _future() -> Future[Redirect]:
    future = Future[Redirect]()
    # A running future can't be cancelled, so it always accepts a result.
    future.set_running_or_notify_cancel()
    return future


def _put(arrived: Future[Redirect], redirect: Redirect) -> None:
    # The first redirect counts.
    with suppress(InvalidStateError):
        arrived.set_result(redirect)


def _fail(arrived: Future[Redirect], cause: Exception) -> None:
    error = LoginError(f"no redirect was pasted: {str(cause) or type(cause).__name__}")
    error.__cause__ = cause
    with suppress(InvalidStateError):
        arrived.set_exception(error)


class _Server(socketserver.ThreadingTCPServer):
    """Handles each connection in its own thread, because browsers open some that they never use."""

    daemon_threads = True
    # On Windows this would let two programs listen on one port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, host: str, login: _PendingLogin) -> None:
        self.login = login
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, login.port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("the browser closed the connection before it had the response")


class _Handler(BaseHTTPRequestHandler):
    """Accepts the redirect and shows a page that says the login is done."""

    timeout = IDLE_TIMEOUT

    def do_GET(self) -> None:
        login = cast("_Server", self.server).login
        redirect = Redirect(self.path)
        if not login.accepts_host(self.headers.get("Host", "")):
            self.send_error(421)
            return
        if self.path.partition("?")[0] != login.path or not redirect.answers(login.state):
            self.send_error(404, explain="This is not the redirect of the current login.")
            return
        self.send_response(200)
        for name, value in {**HEADERS, "Content-Length": str(len(PAGE))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(PAGE)
        _put(login.arrived, redirect)

    def version_string(self) -> str:
        return "scapi"

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the line would contain the code."""
