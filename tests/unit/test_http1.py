"""HTTP/1.1 without a socket: what is sent, and that both engines read the same out of the same bytes."""

from __future__ import annotations

import gzip
import sys
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scapi import Config
from scapi._core import body, http1
from scapi._core.credentials import Credentials
from scapi._core.http1 import Exchange, Origin, ProtocolError, Proxy
from scapi._core.outgoing import Form, Outgoing
from scapi.enums import Engine
from scapi.exceptions import DecodeError
from tests.raw_server import EMISSION, answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scapi._core.response import Reply

pytestmark = pytest.mark.engine

URL = "https://eapi.stalzone.com/ru/emission"


@pytest.fixture(params=Engine)
def engine(request: pytest.FixtureRequest) -> type[http1.Answer]:
    Config.ENGINE = request.param
    return http1.engine()


def exchange(engine: type[http1.Answer], **options: Any) -> Exchange:
    return Exchange(Outgoing(URL, Credentials(token="t")), engine(), **options)


def read(engine: type[http1.Answer], parts: Iterable[bytes]) -> tuple[Reply, bool]:
    """The answer in some bytes as they come off the wire, and whether the connection may be kept."""
    found = exchange(engine)
    for part in parts:
        assert not found.complete
        assert found.take(part) == ()
    assert found.complete
    return found.reply(), found.reusable


def feed(found: Exchange, parts: Iterable[bytes]) -> None:
    """Hand over what comes off the wire until the answer is complete."""
    for part in parts:
        found.take(part)
        if found.complete:
            break


# ── what is sent ──────────────────────────────────────────────────────────────────────────────────────────────────────


def lines(request: bytes) -> list[str]:
    head, end, body = request.partition(b"\r\n\r\n")
    assert end
    assert not body
    return head.decode().split("\r\n")


def test_a_request_on_the_wire(engine: type[http1.Answer]) -> None:
    first, *headers = lines(exchange(engine).request())
    assert first == "GET /ru/emission HTTP/1.1"
    assert {"Host: eapi.stalzone.com", "Authorization: Bearer t", "Accept: application/json"} <= set(headers)
    assert len({header.partition(":")[0].lower() for header in headers}) == len(headers)


def test_a_form_on_the_wire(engine: type[http1.Answer]) -> None:
    form = Form({"grant_type": "client_credentials", "client_secret": "a b"})
    sent = Exchange(Outgoing("https://exbo.net/oauth/token", method="POST", form=form), engine()).request()
    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /oauth/token HTTP/1.1\r\n")
    assert body == b"grant_type=client_credentials&client_secret=a+b"
    assert b"Content-Length: %d" % len(body) in head


def test_a_header_of_the_request_takes_the_place_of_ours(engine: type[http1.Answer]) -> None:
    outgoing = Outgoing(URL, extra={"Accept": "*/*", "If-None-Match": 'W/"ä"'})
    sent = Exchange(outgoing, engine()).request().decode("latin-1").split("\r\n")
    assert [line for line in sent if line.startswith("Accept:")] == ["Accept: */*"]
    assert 'If-None-Match: W/"ä"' in sent


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "ё"])
def test_a_header_cannot_smuggle_another(engine: type[http1.Answer], value: str) -> None:
    outgoing = Outgoing(URL, extra={"If-None-Match": value})
    with pytest.raises(ValueError, match="the header If-None-Match holds characters") as caught:
        Exchange(outgoing, engine()).request()
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "origin", "netloc", "target"),
    [
        ("https://h.test", Origin("https", "h.test", 443), "h.test", "/"),
        ("https://H.test:443/a", Origin("https", "h.test", 443), "h.test", "/a"),
        ("http://h.test:8080/a?b=c&d=%20", Origin("http", "h.test", 8080), "h.test:8080", "/a?b=c&d=%20"),
        ("http://[::1]:80/a%2Fb", Origin("http", "::1", 80), "[::1]", "/a%2Fb"),
        ("https://h.test/ё a?б=в г#д", Origin("https", "h.test", 443), "h.test", None),
    ],
)
def test_a_url_in_its_parts(url: str, origin: Origin, netloc: str, target: str | None) -> None:
    target = "/%D1%91%20a?%D0%B1=%D0%B2%20%D0%B3" if target is None else target
    assert http1.address(url) == (origin, netloc, target)


def test_a_proxy_gets_the_whole_url_and_a_tunnel_only_the_host(engine: type[http1.Answer]) -> None:
    proxy = Proxy(Origin("http", "proxy.test", 3128), "Basic dTpw")
    first, *headers = lines(exchange(engine).request(proxy))
    assert first == f"GET {URL} HTTP/1.1"
    assert "Proxy-Authorization: Basic dTpw" in headers
    first, *headers = lines(http1.tunnel(Origin("https", "h.test", 443), proxy))
    assert first == "CONNECT h.test:443 HTTP/1.1"
    assert {"Host: h.test:443", "Proxy-Authorization: Basic dTpw"} <= set(headers)
    assert not any(header.startswith("Authorization") for header in headers)


def test_a_tunnel_to_an_address_of_ipv6() -> None:
    first, *headers = lines(http1.tunnel(Origin("https", "2001:db8::1", 443), Proxy(Origin("http", "proxy.test", 80))))
    assert first == "CONNECT [2001:db8::1]:443 HTTP/1.1"
    assert "Host: [2001:db8::1]:443" in headers


@pytest.mark.parametrize("host", ["имя.test", f"{'a' * 64}.test", "a..test", "test..", "a\0b"])
def test_a_host_that_no_name_server_knows_is_refused(host: str) -> None:
    with pytest.raises(ProtocolError, match="a host that can't be looked up"):
        http1.address(f"https://{host}/")
    with pytest.raises(ValueError, match="its host in ASCII"):
        Config.BASE_URL = f"https://{host}"


@pytest.mark.parametrize("url", ["https://[", "https://x.test:99999/"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ProtocolError, match="the URL is none"):
        http1.address(url)


# ── what comes back ───────────────────────────────────────────────────────────────────────────────────────────────────

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\nx-a: 2\r\n\r\n"
    b"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"
)

#: What the server sends, and what is made of it: status, body, whether the connection may be kept.
ANSWERS = {
    "with a length": (answer(), 200, EMISSION, True),
    "chunked": (CHUNKED, 200, b"hello world", True),
    "to the end": (b"HTTP/1.1 200 OK\r\n\r\nall there is", 200, b"all there is", False),
    "of HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}", False),
    "that closes": (answer(b"{}", connection="close"), 200, b"{}", False),
    "without a body": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 9\r\n\r\n", 304, b"", True),
    "after hints": (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(b"{}"), 200, b"{}", True),
    "packed": (answer(gzip.compress(EMISSION), content_encoding="gzip"), 200, EMISSION, True),
    "with an error": (answer(b"no", "404 Not Found"), 404, b"no", True),
    "empty": (answer(b""), 200, b"", True),
    "chunked, with a space": (CHUNKED.replace(b"chunked", b"chunked "), 200, b"hello world", True),
    "twice": (answer(b"{}") + answer(b"[]"), 200, b"{}", False),
    "with a rest": (answer(b"{}") + b"...", 200, b"{}", False),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_comes_whole(engine: type[http1.Answer], kind: str) -> None:
    data, status, body, reusable = ANSWERS[kind]
    reply, kept = read(engine, [data, b""] if kind == "to the end" else [data])
    assert (reply.status, reply.body, kept) == (status, body, reusable)


@pytest.mark.parametrize("kind", [kind for kind in ANSWERS if kind not in {"to the end", "twice", "with a rest"}])
def test_an_answer_comes_byte_by_byte(engine: type[http1.Answer], kind: str) -> None:
    data, status, body, reusable = ANSWERS[kind]
    reply, kept = read(engine, [data[place : place + 1] for place in range(len(data))])
    assert (reply.status, reply.body, kept) == (status, body, reusable)


def test_headers_have_lower_case_names_and_those_that_come_twice_are_joined(engine: type[http1.Answer]) -> None:
    reply, _ = read(engine, [CHUNKED])
    assert reply.headers["x-a"] == "1, 2"
    assert reply.headers["transfer-encoding"] == "chunked"


def test_a_header_is_read_as_utf_8_or_else_as_latin_1(engine: type[http1.Answer]) -> None:
    data = b"HTTP/1.1 200 OK\r\nX-New: \xd1\x91\r\nX-Old: \xe4\r\nContent-Length: 0\r\n\r\n"
    reply, _ = read(engine, [data])
    assert (reply.headers["x-new"], reply.headers["x-old"]) == ("ё", "ä")


BROKEN = {
    "no HTTP": [b"SSH-2.0-OpenSSH_9.6\r\n\r\n"],
    "a broken length": [b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"],
    "two lengths": [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"],
    "broken chunks": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot-hex\r\n"],
    "endless headers": [b"HTTP/1.1 200 OK\r\n", *[b"X-A: %s\r\n" % (b"y" * 9999)] * 11],
    "endless trailers": [CHUNKED[:-2], *[b"X-A: %s\r\n" % (b"y" * 9999)] * 11],
    "an endless trailer": [CHUNKED[:-2] + b"X-A: ", *[b"y" * 9999] * 11],
    "an encoding for the transfer": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"],
    "no status": [b"HTTP/1.1 000 ?\r\nContent-Length: 3\r\n\r\nBAD"],
    "another protocol": [b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"],
}

CUT = {
    "before the answer": [b""],
    "within the headers": [b"HTTP/1.1 200 OK\r\nCont", b""],
    "within the body": [answer()[:-1], b""],
    "within the chunks": [CHUNKED[:-5], b""],
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_http_is_refused(engine: type[http1.Answer], kind: str) -> None:
    found = exchange(engine)
    with pytest.raises(ProtocolError):
        feed(found, BROKEN[kind])
    assert not found.reusable


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\ns3cr3t was refused\r\n\r\n", b"s3cr3t was refused\r\n\r\n"])
def test_what_is_no_http_is_not_shown(engine: type[http1.Answer], head: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        exchange(engine).take(head)
    assert "s3cr3t" not in repr([caught.value, caught.value.__cause__, caught.value.__context__])


def test_an_error_says_what_is_wrong() -> None:
    with pytest.raises(ProtocolError, match="the server switches to another protocol"):
        exchange(http1._HttptoolsAnswer).take(BROKEN["another protocol"][0])


@pytest.mark.parametrize("kind", CUT)
def test_what_is_cut_off_is_refused(engine: type[http1.Answer], kind: str) -> None:
    with pytest.raises(ProtocolError, match="peer closed connection without"):
        feed(exchange(engine), CUT[kind])


def test_parts_are_handed_over_where_they_are_asked_for(engine: type[http1.Answer]) -> None:
    data = answer(b"0123456789")
    found = exchange(engine, streams=True)
    parts = [part for place in range(0, len(data), 20) for part in found.take(data[place : place + 20])]
    assert b"".join(parts) == b"0123456789"
    assert len(parts) > 1
    assert found.length == 10
    assert found.reply().body == b""


def test_the_body_of_an_error_is_kept_all_the_same(engine: type[http1.Answer]) -> None:
    found = exchange(engine, streams=True)
    assert found.take(answer(b"no", "404 Not Found")) == ()
    assert found.reply().body == b"no"


def test_a_body_beyond_the_limit_is_refused(engine: type[http1.Answer]) -> None:
    Config.MAX_BODY = 5
    with pytest.raises(DecodeError, match=r"larger than Config\.MAX_BODY"):
        exchange(engine).take(answer(b"012345"))


def test_the_encoding_of_a_body_is_shown_without_our_secrets(engine: type[http1.Answer]) -> None:
    found = Exchange(Outgoing(URL, Credentials(token="S3CR3T")), engine())
    with pytest.raises(DecodeError, match=r"encoded as 'br-\*\*\*', which was not asked for"):
        found.take(answer(b"x", content_encoding="br-S3CR3T"))


@pytest.mark.parametrize("streams", [True, False])
def test_what_follows_a_packed_body_is_refused(engine: type[http1.Answer], streams: bool) -> None:
    packed = gzip.compress(EMISSION)
    data = answer(packed + packed, content_encoding="gzip")
    for parts in ([data], [data[: -len(packed)], data[-len(packed) :]]):
        found = exchange(engine, streams=streams)
        with pytest.raises(DecodeError, match="it goes on after its end"):
            b"".join(part for data in parts for part in found.take(data))


def test_a_bomb_is_handed_over_in_parts_that_memory_can_hold(engine: type[http1.Answer]) -> None:
    found = exchange(engine, streams=True)
    sizes = [len(part) for part in found.take(answer(gzip.compress(bytes(2**26 + 5)), content_encoding="gzip"))]
    assert sizes == [body.MOST] * 64 + [5]


@given(st.sampled_from([kind for kind in ANSWERS if kind != "to the end"]), st.lists(st.integers(0, 400), max_size=8))
def test_both_engines_read_the_same_however_it_comes(kind: str, cuts: list[int]) -> None:
    data = ANSWERS[kind][0]
    places = [0, *sorted({cut for cut in cuts if 0 < cut < len(data)}), len(data)]
    parts = [data[begin:end] for begin, end in pairwise(places)]
    plain, quick = exchange(http1._H11Answer), exchange(http1._HttptoolsAnswer)
    for found in (plain, quick):
        feed(found, parts)
    assert (plain.reply(), plain.reusable) == (quick.reply(), quick.reusable)


def test_a_reader_leaves_nothing_to_the_garbage_collector() -> None:
    found = http1._HttptoolsAnswer()
    before = sys.getrefcount(found)
    found.take(answer())
    assert sys.getrefcount(found) < before


# ── which engine ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_quicker_engine_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCAPI_ENGINE", raising=False)
    assert Config.ENGINE is Engine.HTTPTOOLS
    assert http1.engine() is http1._HttptoolsAnswer
    monkeypatch.setattr("scapi.config.find_spec", lambda name: None if name == "httptools" else find_spec(name))
    assert Config.ENGINE is Engine.H11
    assert http1.engine() is http1._H11Answer
    with pytest.raises(ImportError, match=r"Config\.ENGINE is 'httptools', which needs: pip install .*\[fast\]"):
        Config.ENGINE = "httptools"


def test_the_environment_says_which_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCAPI_ENGINE", "H11")
    assert Config.ENGINE is Engine.H11
    Config.ENGINE = "httptools"
    assert Config.ENGINE is Engine.HTTPTOOLS
    monkeypatch.setenv("SCAPI_ENGINE", "curl")
    del Config.ENGINE
    with pytest.raises(ValueError, match="SCAPI_ENGINE must be one of h11, httptools"):
        _ = Config.ENGINE
