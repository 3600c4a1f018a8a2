"""Where a login comes back to: a port of this machine that a browser is sent to, or a line that the user pastes.

Threads do this in both worlds, because a browser and a terminal block; all that either world sees is a future.
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
    # The address of this page holds the code.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Connection": "close",
}

#: The two addresses of `localhost`.
BOTH = ("127.0.0.1", "::1")

#: What a machine says that has no address of that kind.
ABSENT = {EADDRNOTAVAIL, EAFNOSUPPORT}

#: Seconds that a browser may keep a connection open without asking for anything, as browsers like to do.
IDLE = 10.0


class _Door(NamedTuple):
    """Where one login comes back to, and what opens it.

    Attributes:
        port: The port.
        path: The path of the redirect URI.
        state: What the redirect of this login brings back.
        arrived: Where the redirect is put.
    """

    port: int
    path: str
    state: str
    arrived: Future[Redirect]

    def is_asked(self, host: str) -> bool:
        """Whether a request was meant for this machine, and not for a name that somebody made lead to it."""
        try:
            asked = urlsplit(f"//{host}")
            return asked.hostname in validation.LOOPBACK and (asked.port or 80) == self.port
        except ValueError:
            return False


@contextmanager
def listen(redirect_uri: str, state: str) -> Generator[Future[Redirect]]:
    """Listen for the browser that is sent to a redirect URI, while the `with` block lasts.

    Whoever comes without the state of this login is sent away, and the listening goes on: any page that the user visits
    can send their browser here.

    Args:
        redirect_uri: A URI of this machine; port 80 where it names none.
        state: What the redirect must bring back.

    Yields:
        The redirect, once it is here.

    Raises:
        LoginError: The port is taken.
    """
    parts = urlsplit(redirect_uri)
    door = _Door(80 if parts.port is None else parts.port, parts.path or "/", state, _future())
    servers = _servers(parts.hostname or "", door)
    for server in servers:
        Thread(target=server.serve_forever, args=(0.05,), name="scapi-login", daemon=True).start()
    try:
        yield door.arrived
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _servers(host: str, door: _Door) -> list[_Server]:
    """Listen at a host; for `localhost` at both of its addresses, as the browser chooses one of them.

    Another user of this machine could listen at the one that is left free, and be sent the code.
    """
    hosts = BOTH if host == "localhost" else (host,)
    servers: list[_Server] = []
    for address in hosts:
        try:
            servers.append(_Server(address, door))
        except OSError as cause:
            # A machine may know only one kind of addresses.
            if cause.errno in ABSENT and (servers or address != hosts[-1]):
                continue
            for server in servers:
                server.server_close()
            raise LoginError(
                f"port {door.port} of {address} can't be listened on ({cause.strerror}); end the program that has it, "
                "or pass login(port=...) with the port of another redirect URI that is registered for the application"
            ) from cause
    return servers


def send_user(
    url: str, redirect_uri: str, arrived: Future[Redirect], *, open_browser: bool, ask: Callable[[str], str]
) -> None:
    """Open the browser, or ask the user to paste where theirs ended up. Returns at once.

    Args:
        url: Where to log in.
        redirect_uri: Where the login comes back to.
        arrived: Where a pasted redirect, or the failure to get one, is put.
        open_browser: Whether to look for a browser at all.
        ask: Shows a text to the user and returns the line that they enter, as `input` does.
    """

    def guide() -> None:
        try:
            if not (open_browser and _open(url)):
                _put(arrived, Redirect(ask(PROMPT.format(url=url, redirect_uri=redirect_uri))))
        except Exception as cause:  # noqa: BLE001  # such as the end of the input: it goes to whoever waits
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
    # From here on nobody can cancel it, so that it always takes a result.
    future.set_running_or_notify_cancel()
    return future


def _put(arrived: Future[Redirect], redirect: Redirect) -> None:
    # Of several redirects the first one counts.
    with suppress(InvalidStateError):
        arrived.set_result(redirect)


def _fail(arrived: Future[Redirect], cause: Exception) -> None:
    error = LoginError(f"no redirect was pasted: {str(cause) or type(cause).__name__}")
    error.__cause__ = cause
    with suppress(InvalidStateError):
        arrived.set_exception(error)


class _Server(socketserver.ThreadingTCPServer):
    """Answers every connection in a thread of its own: browsers open some that they never use."""

    daemon_threads = True
    # On Windows this would let two programs listen on one port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, host: str, door: _Door) -> None:
        self.door = door
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, door.port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("a browser hung up while it was answered")


class _Handler(BaseHTTPRequestHandler):
    """Takes the redirect, and tells the user that this was all."""

    timeout = IDLE

    def do_GET(self) -> None:
        door = cast("_Server", self.server).door
        redirect = Redirect(self.path)
        if not door.is_asked(self.headers.get("Host", "")):
            self.send_error(421)
            return
        if self.path.partition("?")[0] != door.path or not redirect.answers(door.state):
            self.send_error(404, explain="This is not the answer to the login that is waited for here.")
            return
        self.send_response(200)
        for name, value in {**HEADERS, "Content-Length": str(len(PAGE))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(PAGE)
        _put(door.arrived, redirect)

    def version_string(self) -> str:
        return "scapi"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the line would hold the code."""
