"""A server of canned answers on a real socket, which counts connections and keeps the requests as they were sent."""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

EMISSION = b'{"previousStart":"2026-08-05T00:00:00Z"}'


def answer(body: bytes = EMISSION, status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP/1.1 answer; underscores in header names become hyphens."""
    lines = {"content-length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


@dataclass
class RawServer:
    """What the server answers, and what it saw."""

    reply: bytes = field(repr=False)
    url: str = ""
    connections: int = 0
    requests: list[str] = field(default_factory=list, repr=False)

    def serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            buffer = b""
            while chunk := connection.recv(65536):
                buffer += chunk
                while b"\r\n\r\n" in buffer:
                    head, _, buffer = buffer.partition(b"\r\n\r\n")
                    self.requests.append(head.decode("latin-1"))
                    connection.sendall(self.reply)

    def accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections += 1
                Thread(target=self.serve, args=(connection,), daemon=True).start()


@contextmanager
def raw_server(reply: bytes | None = None) -> Iterator[RawServer]:
    """Answer every request with the same bytes while the `with` block lasts."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        server = RawServer(answer() if reply is None else reply, f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = Thread(target=server.accept, args=(listener,), daemon=True)
        thread.start()
        yield server
        # Closable a listener doesn't wake the thread that accepts from it; shutting it down does.
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()
