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
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from scapi._core.oauth import Redirect
from scapi.exceptions import LoginError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["listen", "send_user"]

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

#: Seconds that a browser may keep a connection open without asking for anything, as browsers like to do.
IDLE = 10.0


@contextmanager
def listen(redirect_uri: str) -> Generator[Future[Redirect]]:
    """Listen for the browser that is sent to a redirect URI, while the `with` block lasts.

    Args:
        redirect_uri: A URI of this machine; port 80 where it names none.

    Yields:
        The redirect, once it is here.

    Raises:
        LoginError: The port is taken.
    """
    parts = urlsplit(redirect_uri)
    host = "::1" if parts.hostname == "::1" else "127.0.0.1"
    arrived = _future()
    try:
        server = _Server((host, 80 if parts.port is None else parts.port), _Handler)
    except OSError as cause:
        raise LoginError(
            f"port {parts.port or 80} of {host} can't be listened on ({cause.strerror}); end the program that has it, "
            "or pass login(port=...) with the port of another redirect URI that is registered for the application"
        ) from cause
    server.path, server.arrived = parts.path or "/", arrived
    Thread(target=server.serve_forever, args=(0.05,), name="scapi-login", daemon=True).start()
    try:
        yield arrived
    finally:
        server.shutdown()
        server.server_close()


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

    path: str
    arrived: Future[Redirect]

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("a browser hung up while it was answered")


class _Handler(BaseHTTPRequestHandler):
    """Takes the redirect, and tells the user that this was all."""

    timeout = IDLE

    def do_GET(self) -> None:
        server = cast("_Server", self.server)
        redirect = Redirect(self.path)
        if self.path.partition("?")[0] != server.path or not redirect.answers:
            self.send_error(404)
            return
        self.send_response(200)
        for name, value in {**HEADERS, "Content-Length": str(len(PAGE))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(PAGE)
        _put(server.arrived, redirect)

    def version_string(self) -> str:
        return "scapi"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the line would hold the code."""
