"""HTTP/1.1 without a socket: a request to bytes, and bytes to an answer.

What comes back is read by a library: h11, or where it is installed httptools, which is the parser of Node.js in C and
reads an answer in a fraction of the time. Both worlds and both libraries share all the rest.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from scapi import _version
from scapi._core import arguments
from scapi._core.body import Body
from scapi.config import Config
from scapi.enums import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scapi._core.outgoing import Outgoing
    from scapi._core.response import Reply

__all__ = [
    "HEADERS",
    "Answer",
    "Exchange",
    "Origin",
    "ProtocolError",
    "Proxy",
    "check_tunnel",
    "engine",
    "locate",
    "tunnel",
]

HEADERS = {
    "User-Agent": f"scapi/{_version.__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
}

#: Bytes that status line and headers of an answer may have, and what follows its body, give or take one read.
MAX_HEAD = 100 * 1024

#: Bytes that h11 is given at once. It copies them three times, and larger copies cost a page fault for each 4 KiB.
SLICE = 64 * 1024

PORTS = {"http": 80, "https": 443}

#: What may stand in the value of a header: anything but what would end it.
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

#: What `quote` leaves alone in a URL that is one already.
RESERVED = "%:/?#[]@!$&'()*+,;=~"


class ProtocolError(Exception):
    """What came back is no HTTP, or not all of it."""


# ── what is sent ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Origin(NamedTuple):
    """Where a connection leads to."""

    scheme: str
    host: str
    port: int


class Address(NamedTuple):
    """A URL in the parts that a request needs.

    Attributes:
        origin: Where to connect to.
        netloc: What the header `Host` says.
        target: The path with its query.
    """

    origin: Origin
    netloc: str
    target: str


class Proxy(NamedTuple):
    """A proxy over plain http, and the value of `Proxy-Authorization` if it wants one."""

    origin: Origin
    authorization: str = ""

    def __repr__(self) -> str:
        return f"Proxy({self.origin!r}, authorization={'***' if self.authorization else ''!r})"

    def headers(self) -> dict[str, str]:
        """What the proxy is told beside the request."""
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}


def locate(outgoing: Outgoing) -> Address:
    """Where a request goes."""
    # Without a token along with it, as after a redirect, the URL itself may be what opens the door: it isn't kept.
    return _kept(outgoing.url) if outgoing.credentials else address(outgoing.url)


def address(url: str) -> Address:
    """The parts of an absolute URL, with everything encoded that has to be."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PORTS[parts.scheme]
    except ValueError:  # a redirect may lead anywhere
        raise ProtocolError("the URL is none") from None
    if not arguments.is_host(host):
        raise ProtocolError("the URL has a host that can't be looked up")
    named = _named(host)
    query = f"?{parts.query}" if parts.query else ""
    return Address(
        Origin(parts.scheme, host, port),
        named if port == PORTS[parts.scheme] else f"{named}:{port}",
        quote(f"{parts.path or '/'}{query}", safe=RESERVED),
    )


def _named(host: str) -> str:
    return f"[{host}]" if ":" in host else host


#: Collectors ask for the same URLs forever.
_kept = lru_cache(maxsize=512)(address)


def tunnel(origin: Origin, proxy: Proxy) -> bytes:
    """What asks a proxy to connect to a host, and to pass on from then on whatever comes."""
    target = f"{_named(origin.host)}:{origin.port}"
    return _head("CONNECT", target, {"Host": target, "User-Agent": HEADERS["User-Agent"], **proxy.headers()})


def _head(method: str, target: str, headers: dict[str, str]) -> bytes:
    values = "".join(headers.values())
    if not (values.isascii() and values.isprintable()) and not VALUE.fullmatch(values):
        wrong = next(name for name, value in headers.items() if not VALUE.fullmatch(value))
        raise ValueError(f"the header {wrong} holds characters that can't be sent")
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


# ── what comes back ───────────────────────────────────────────────────────────────────────────────────────────────────


class Answer:
    """An answer as it comes in: what every engine's reader has in common.

    Attributes:
        status: The status, or 0 while the headers aren't there in whole.
        headers: The headers, by their lower-case names.
        complete: Whether the answer is there in whole.
        reusable: Whether the next request may go over the same connection.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.complete = False
        self.reusable = False

    def take(self, data: bytes | memoryview) -> Sequence[bytes]:
        """The parts of the body in the next bytes off the wire. No bytes mean that the server has closed.

        Raises:
            ProtocolError: This is no HTTP, or it ends too early.
        """
        raise NotImplementedError

    def _add_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), _text(value.strip(b" \t"))
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class _H11Answer(Answer):
    """Reads with h11, which is there wherever httpx is."""

    def __init__(self) -> None:
        super().__init__()
        import h11

        self._h11: Any = h11
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        for event in _told():
            self._connection.send(event)

    def take(self, data: bytes | memoryview) -> Sequence[bytes]:
        parts: list[bytes] = []
        rest = memoryview(data)
        wrong = ""
        try:
            while not self.complete:
                self._feed(bytes(rest[:SLICE]), parts)
                rest = rest[SLICE:]
                if not rest:
                    break
        except self._h11.ProtocolError as cause:
            # What follows the colon is what has come, our token perhaps, which nobody may see: not in the chain either.
            wrong = str(cause).partition(": ")[0]
        if wrong:
            # After the server has closed, this is what is missing; before that, what is wrong.
            raise ProtocolError(wrong) if data else _cut_off()
        self.reusable = self.reusable and not rest
        return parts

    def _feed(self, data: bytes, parts: list[bytes]) -> None:
        self._connection.receive_data(data)
        while not self.complete and (event := self._connection.next_event()) is not self._h11.NEED_DATA:
            self._handle(event, parts)

    def _handle(self, event: Any, parts: list[bytes]) -> None:
        if isinstance(event, self._h11.Data):
            parts.append(bytes(event.data))
        elif isinstance(event, self._h11.EndOfMessage):
            self.complete = True
            self.reusable = (
                self._connection.their_state is self._h11.DONE
                and self._connection.our_state is self._h11.DONE
                and self._connection.trailing_data == (b"", False)
            )
        elif isinstance(event, self._h11.Response):
            self.status = event.status_code
            for name, value in event.headers:
                self._add_header(name, value)
        elif not isinstance(event, self._h11.InformationalResponse):
            raise _cut_off()


@cache
def _told() -> tuple[Any, ...]:
    """What h11 is told that was sent. It has to know the method, which tells how the body of an answer ends."""
    import h11

    return h11.Request(method="GET", target="/", headers=[("Host", "-")]), h11.EndOfMessage()


class _HttptoolsAnswer(Answer):
    """Reads with httptools, of the extra `fast`."""

    def __init__(self) -> None:
        super().__init__()
        import httptools

        self._error = httptools.HttpParserError
        self._size = 0
        self._parts: list[bytes] = []
        # The parser calls this, and the methods below whose names begin alike.
        self.on_body = self._parts.append
        self._parser: Any = httptools.HttpResponseParser(self)

    def take(self, data: bytes | memoryview) -> Sequence[bytes]:
        if data:
            self._feed(data)
        elif not self.status or "content-length" in self.headers or "transfer-encoding" in self.headers:
            raise _cut_off()
        else:  # it said nothing of its length, so this is how it ends
            self.complete = True
        if self.complete:
            self._release()
        parts = self._parts[:]
        self._parts.clear()
        self._size = 0 if parts else self._size + len(data)
        if self._size > MAX_HEAD:
            raise ProtocolError(f"headers, or what follows the body, are longer than {MAX_HEAD} bytes")
        return parts

    def _feed(self, data: bytes | memoryview) -> None:
        try:
            self._parser.feed_data(data)
        except self._error as cause:
            # More than the answer has come: it is complete, but whatever comes next over this connection is none.
            self.reusable = False
            if not self.complete:
                # An error of what the parser calls says more than that there was one.
                raise ProtocolError(str(cause.__context__ or cause)) from cause

    def _release(self) -> None:
        """Let go of the parser, which refers to this object by what it calls: nobody but the collector would."""
        del self._parser, self.on_body

    def on_message_begin(self) -> None:
        if self.complete:
            raise ProtocolError("two answers to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.status:  # or else it comes after the body, too late to mean anything
            self._add_header(name, value)

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 100:
            raise ProtocolError(f"{status} is no status")
        if status == 101:
            raise ProtocolError("the server switches to another protocol")
        if self.headers.get("transfer-encoding", "chunked").lower() != "chunked":
            raise ProtocolError("the answer is encoded for the transfer in a way that was not asked for")
        if status < 200:
            self.headers.clear()
        else:
            self.status = status

    def on_message_complete(self) -> None:
        if self.status:
            self.complete, self.reusable = True, self._parser.should_keep_alive()


def check_tunnel(answer: Answer) -> None:
    """Raise an error unless the proxy has connected."""
    if answer.status // 100 != 2:
        raise ProtocolError(f"the proxy answers {answer.status} and doesn't connect")


def _cut_off() -> ProtocolError:
    return ProtocolError("peer closed connection without sending the complete answer")


def engine() -> type[Answer]:
    """What reads answers, see `Config.ENGINE`."""
    return _HttptoolsAnswer if Config.ENGINE is Engine.HTTPTOOLS else _H11Answer


class Exchange:
    """One request, and the answer to it as it comes in.

    Args:
        outgoing: The request.
        answer: What reads the answer.
        streams: Whether the body of a 2xx is handed over part by part, and not kept.
    """

    def __init__(self, outgoing: Outgoing, answer: Answer, *, streams: bool = False) -> None:
        self._outgoing = outgoing
        self._answer = answer
        self._streams = streams
        self._body: Body | None = None

    def request(self, proxy: Proxy | None = None) -> bytes:
        """What is sent: to the host itself, or to a proxy that passes it on."""
        outgoing = self._outgoing
        place = locate(outgoing)
        content = outgoing.content()
        headers = {"Host": place.netloc, **HEADERS, **outgoing.headers()}
        if proxy:
            headers |= proxy.headers()
        if content is not None:
            headers["Content-Length"] = str(len(content))
        target = f"{place.origin.scheme}://{place.netloc}{place.target}" if proxy else place.target
        return _head(outgoing.method, target, headers) + (content or b"")

    def take(self, data: bytes | memoryview) -> Iterable[bytes]:
        """The parts of the body in the next bytes off the wire that are to be handed over.

        Raises:
            ProtocolError: This is no HTTP, or it ends too early.
            DecodeError: The body can't be decompressed or is too large.
        """
        answer = self._answer
        parts = answer.take(data)
        if not answer.status:
            return ()
        if self._body is None:
            self._body = Body(answer.status, answer.headers, self._outgoing)
        if self._streams and answer.status // 100 == 2:
            return chain.from_iterable(map(self._body.unpack, parts))
        for part in parts:
            self._body.add(part)
        return ()

    @property
    def complete(self) -> bool:
        """Whether the answer is there in whole."""
        return self._answer.complete

    @property
    def reusable(self) -> bool:
        """Whether the next request may go over the same connection."""
        return self._answer.reusable

    @property
    def length(self) -> int | None:
        """How many bytes the body will have had in the end, if the server said so."""
        return self._body.length if self._body else None

    def reply(self) -> Reply:
        """The whole answer."""
        assert self._body
        return self._body.reply()
