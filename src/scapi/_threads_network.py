"""A connection of the sync world. `_aio_network` is its twin."""

from __future__ import annotations

import math
import os
import socket
import ssl
import struct
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from scapi import _http
from scapi._core import http1

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._core.outgoing import Outgoing
    from scapi._core.response import Reply

__all__ = ["Link"]

T = TypeVar("T")

#: Seconds after which the system ends a wait for a socket by itself.
PATIENCE = 1

#: What a socket that doesn't block says where it would.
_WAITS = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Link:
    """A connection to a host, for one request after another, each of which ends at one deadline.

    A blocking socket has a timeout for each read but none for all of them, so that a server which sends a byte a second
    is never late. Here each wait gets what is left of the time of the whole request.

    Args:
        origin: The host.

    Attributes:
        origin: The host.
        is_open: Whether the connection was made.
        deadline: When the request under way has to be through, on the monotonic clock.
    """

    def __init__(self, origin: http1.Origin) -> None:
        self.origin = origin
        self.is_open = False
        self.deadline = math.inf
        self._answer = http1.engine()
        self._proxy: http1.Proxy | None = None
        self._socket: socket.socket | None = None
        self._buffer = bytearray(_http.READ_SIZE)
        self._view = memoryview(self._buffer)
        self._patience = 0
        self._is_shut = False
        self._rests_since: float | None = None

    def open(self) -> None:
        """Make the connection: directly, or as the environment says through a proxy."""
        proxy = _http.proxy(self.origin)
        place = proxy.origin if proxy else self.origin
        self._take(socket.create_connection((place.host, place.port), self._left()))
        self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._link.setblocking(False)
        if self.origin.scheme == "http":
            self._proxy = proxy
            if os.name == "posix":
                self._be_patient()
        else:
            self._encrypt(proxy)
        self.is_open = True
        _http.logger.debug("connected to %s:%d", self.origin.host, self.origin.port)

    def _encrypt(self, proxy: http1.Proxy | None) -> None:
        if proxy:
            self._tunnel(proxy)
        link = _http.tls().wrap_socket(self._link, server_hostname=self.origin.host, do_handshake_on_connect=False)
        self._take(link)
        self._retried(link.do_handshake)

    def _be_patient(self) -> None:
        """Let the system wait, for a while, when a socket is read that for Python doesn't block.

        To ask first whether there is something to read is a system call more, and after each of them a thread has to
        stand in line for Python's lock, which is what costs the most where many threads work. When the while is over
        the system says that it would have blocked, and `_wait` waits for what is left.

        Not for TLS: a server that sends a byte at a time would keep OpenSSL within one read for as long as it likes.
        """
        with suppress(OSError):  # where the system can't be told
            self._link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", PATIENCE, 0))
            self._link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", PATIENCE, 0))
            os.set_blocking(self._link.fileno(), True)
            self._patience = PATIENCE

    def _take(self, link: socket.socket) -> None:
        self._socket = link
        # Whoever wanted to end this found no socket to end.
        if self._is_shut:
            self.shut_down()

    @property
    def _link(self) -> socket.socket:
        assert self._socket
        return self._socket

    def _tunnel(self, proxy: http1.Proxy) -> None:
        self._write(http1.tunnel(self.origin, proxy))
        answer = self._answer()
        while not answer.status:
            answer.take(self._read())
        http1.check_tunnel(answer)

    def exchange(self, outgoing: Outgoing, sink: Callable[[bytes, int | None], None] | None) -> Reply:
        """Send a request and read the answer to it. Parts of the body go to the sink, where there is one."""
        exchange = http1.Exchange(outgoing, self._answer(), streams=sink is not None)
        self._rests_since = None
        self._write(exchange.request(self._proxy))
        while not exchange.complete:
            for part in exchange.take(self._read()):
                assert sink
                sink(part, exchange.length)
        if exchange.reusable:
            self._rests_since = time.monotonic()
        return exchange.reply()

    @property
    def rests(self) -> bool:
        """Whether the last answer is through and left nothing behind."""
        return self._rests_since is not None and not self._is_shut

    @property
    def is_ready(self) -> bool:
        """Whether the next request can be sent."""
        is_fresh = (self._rests_since or 0.0) + _http.KEEPALIVE > time.monotonic()
        return is_fresh and self.rests and not _http.wait(self._link.fileno())

    def shut_down(self) -> None:
        """End what is under way and all that may follow, from any thread."""
        self._is_shut = True
        if self._socket:
            with suppress(OSError):
                # Not the method of the TLS socket: that one takes its TLS state away from under the reading thread.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket. Only for the thread that uses it: its number may be another socket's right after."""
        if self._socket:
            self._socket.close()

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._retried(partial(self._link.send, rest)) :]

    def _read(self) -> memoryview:
        if self.deadline - time.monotonic() < self._patience:
            self._wait()
        return self._view[: self._retried(partial(self._link.recv_into, self._buffer))]

    def _retried(self, act: Callable[[], T]) -> T:
        """The result of something that would block, as soon as it doesn't."""
        while True:
            try:
                return act()
            except _WAITS as cause:
                self._wait(to_write=isinstance(cause, ssl.SSLWantWriteError))

    def _wait(self, *, to_write: bool = False) -> None:
        while not _http.wait(self._link.fileno(), self._left(), to_write=to_write):
            pass

    def _left(self) -> float | None:
        """Seconds that a wait may take, `None` for as long as it takes."""
        if self.deadline == math.inf:
            return None
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer took too long")
        return left
