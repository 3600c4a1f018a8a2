"""A connection of the sync world. `_aio_network` is its twin."""

from __future__ import annotations

import errno
import math
import os
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

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

#: What a socket says that has begun to connect; the last one on Windows.
CONNECTING = {errno.EINPROGRESS, errno.EWOULDBLOCK, 10035}


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
        self._view = memoryview(bytearray(_http.READ_SIZE))
        self._patience = 0
        self._is_shut = False
        self._rests_since: float | None = None

    def open(self) -> None:
        """Make the connection: directly, or as the environment says through a proxy."""
        proxy = _http.proxy(self.origin)
        place = proxy.origin if proxy else self.origin
        self._connect(place)
        self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.origin.scheme == "http":
            self._proxy = proxy
            if os.name == "posix":
                self._be_patient()
        else:
            self._encrypt(proxy)
        self.is_open = True
        _http.logger.debug("connected to %s:%d", self.origin.host, self.origin.port)

    def _connect(self, place: http1.Origin) -> None:
        """Connect to the first address of a host that answers; each may take its share of the time that is left."""
        found = self._look_up(place)
        deadline = self.deadline
        for more, (family, kind, protocol, _, address) in zip(range(len(found), 0, -1), found, strict=True):
            now = time.monotonic()
            self.deadline = now + (deadline - now) / more
            try:
                self._connect_to(socket.socket(family, kind, protocol), address)
            except OSError:
                self.close()
                if more == 1 or self._is_shut:
                    raise
            else:
                break
        self.deadline = deadline

    def _look_up(self, place: http1.Origin) -> list[Any]:
        """The addresses of a host. Nothing ends what the system does for that, so it does it in a thread of its own."""
        found: SimpleQueue[list[Any] | Exception] = SimpleQueue()

        def look_up() -> None:
            try:
                found.put(socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM))
            except Exception as error:  # noqa: BLE001  # it is raised where it is waited for
                found.put(error)

        threading.Thread(target=look_up, name="scapi-look-up", daemon=True).start()
        while True:
            left = self._left()
            with suppress(Empty):
                result = found.get(timeout=min(left, PATIENCE))
                break
            self._check()
        if isinstance(result, Exception):
            raise result
        return result

    def _connect_to(self, link: socket.socket, address: Any) -> None:
        link.setblocking(False)
        self._take(link)
        error = link.connect_ex(address)
        if error in CONNECTING:
            self._wait(to_write=True)
            error = link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error or self._is_shut:
            raise OSError(error or errno.ECONNABORTED, os.strerror(error or errno.ECONNABORTED))

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
        # The system waits for what is read, not until all is written.
        flags = socket.MSG_DONTWAIT if self._patience else 0
        while rest:
            rest = rest[self._retried(partial(self._link.send, rest, flags), to_write=True) :]

    def _read(self) -> memoryview:
        left = self._left()
        # Where the system waits, the time has to suffice for its while. Nor may it wait in the main thread: a signal,
        # which only that one handles, makes it begin anew.
        if self._patience and (left < self._patience or threading.current_thread() is threading.main_thread()):
            self._wait()
        count = self._retried(partial(self._link.recv_into, self._view))
        if not count:  # the server's end, and not ours: that one ends no answer
            self._check()
        return self._view[:count]

    def _retried(self, act: Callable[[], T], *, to_write: bool = False) -> T:
        """The result of something that would block, as soon as it doesn't."""
        while True:
            try:
                return act()
            except BlockingIOError:
                self._wait(to_write=to_write)
            except ssl.SSLWantReadError:
                self._wait()
            except ssl.SSLWantWriteError:
                self._wait(to_write=True)

    def _wait(self, *, to_write: bool = False) -> None:
        """Wait for the socket, in short parts: not every system ends a wait when the socket is shut down."""
        while not _http.wait(self._link.fileno(), min(self._left(), PATIENCE), to_write=to_write):
            self._check()

    def _check(self) -> None:
        if self._is_shut:
            raise ConnectionAbortedError(errno.ECONNABORTED, "shut down")

    def _left(self) -> float:
        """Seconds that a wait may take."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        return left
