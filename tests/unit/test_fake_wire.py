"""The fake through httpx: over its transport in both worlds, and over a real socket."""

import asyncio
import builtins
import gc
import gzip
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from scapi.sync import AppClient
from scapi.testing import FakeApi, Reply
from tests.support.wire import PLAIN

Get = Callable[..., httpx.Response]
Way = Callable[[FakeApi], Any]

TIMEOUT = 20.0
IMPATIENT = httpx.Timeout(20.0, read=0.3)
LOTS = "/ru/auction/kqgy/lots?limit=50"


@contextmanager
def sync_transport(fake: FakeApi) -> Iterator[Get]:
    with httpx.Client(transport=fake.transport(), base_url="https://any.host", timeout=TIMEOUT) as client:
        yield client.get


@contextmanager
def async_transport(fake: FakeApi) -> Iterator[Get]:
    def get(path: str, **options: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = fake.transport()
            async with httpx.AsyncClient(transport=transport, base_url="https://any", timeout=TIMEOUT) as client:
                return await client.get(path, **options)

        return asyncio.run(once())

    yield get


@contextmanager
def real_socket(fake: FakeApi) -> Iterator[Get]:
    with fake.serve() as url, httpx.Client(verify=PLAIN, base_url=url, timeout=TIMEOUT) as client:
        yield client.get


@pytest.fixture(params=[sync_transport, async_transport, pytest.param(real_socket, marks=pytest.mark.socket)])
def way(request: pytest.FixtureRequest) -> Way:
    return request.param  # type: ignore[no-any-return]  # pytest types params as Any


@pytest.fixture
def fake() -> FakeApi:
    return FakeApi()


def bearer(fake: FakeApi) -> dict[str, str]:
    return {"Authorization": f"Bearer {fake.app_token}"}


def test_an_answer_arrives_as_handle_made_it(fake: FakeApi, way: Way) -> None:
    with way(fake) as get:
        answer = get(LOTS, headers=bearer(fake))
    made = FakeApi().handle("GET", LOTS, bearer(fake) | {"accept-encoding": "gzip"})
    assert answer.content == gzip.decompress(made.body)
    for name, value in made.headers.items():
        assert answer.headers[name] == value
    assert [seen.target for seen in fake.requests] == [LOTS]
    assert fake.requests[0].query == {"limit": "50"}


def test_a_name_in_any_characters_arrives_as_it_is(fake: FakeApi, way: Way) -> None:
    with way(fake) as get:
        answer = get("/ru/character/by-name/A%2FB%3Fc%23d%20%D1%91/profile", headers=bearer(fake))
    assert answer.json()["username"] == "A/B?c#d ё"


def test_an_empty_200_arrives_empty(fake: FakeApi, way: Way) -> None:
    with way(fake) as get:
        answer = get("/ru/character/by-name/too_pivo/profile", headers=bearer(fake))
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


@pytest.mark.parametrize("accepted", ["identity", "br, deflate", ""])
def test_only_who_takes_gzip_gets_it(fake: FakeApi, accepted: str) -> None:
    reply = fake.handle("GET", LOTS, bearer(fake) | {"accept-encoding": accepted})
    assert "content-encoding" not in reply.headers
    assert int(reply.headers["content-length"]) == len(reply.body) > 1024


# ── faults ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_status_is_answered_by_the_front_and_costs_nothing(fake: FakeApi, way: Way) -> None:
    fake.fail("*/lots", status=503, headers={"Retry-After": "7"}, times=1)
    with way(fake) as get:
        answer = get(LOTS, headers=bearer(fake))
        healed = get(LOTS, headers=bearer(fake))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert answer.json() == {"title": "Service Unavailable", "status": 503, "details": {}}
    assert "x-ratelimit-remaining" not in answer.headers
    assert (healed.status_code, healed.headers["x-ratelimit-remaining"]) == (200, "398")
    assert [(seen.status, seen.fault) for seen in fake.requests] == [(503, "status"), (200, None)]


@pytest.mark.parametrize(
    ("options", "status", "body"),
    [
        ({}, 503, b'{"title":"Service Unavailable","status":503,"details":{}}'),
        ({"status": 429}, 429, b'{"title":"Rate limit exceeded","status":429,"details":{}}'),
        ({"status": 599}, 599, b'{"title":"Status 599","status":599,"details":{}}'),
        ({"status": 204}, 204, b""),
        ({"body": "текст"}, 200, "текст".encode()),
        ({"body": b"\xff", "status": 418}, 418, b"\xff"),
        ({"fault": "empty"}, 200, b""),
        ({"fault": "empty", "status": 502}, 502, b""),
    ],
)
def test_an_answer_may_be_replaced(
    fake: FakeApi, way: Way, options: Mapping[str, Any], status: int, body: bytes
) -> None:
    fake.fail("*", **options)
    with way(fake) as get:
        answer = get("/regions")
    assert (answer.status_code, answer.content) == (status, body)


@pytest.mark.parametrize("status", [200, 502])
def test_a_proxys_page_is_html(fake: FakeApi, way: Way, status: int) -> None:
    fake.fail("/regions", "html", status=status)
    with way(fake) as get:
        answer = get("/regions")
    assert answer.status_code == status
    assert answer.text.startswith("<!DOCTYPE html>")
    assert answer.headers["content-type"].startswith("text/html")


def test_broken_json_is_the_apis_own_answer_without_its_end(fake: FakeApi, way: Way) -> None:
    fake.fail("*", "broken_json", times=1)
    with way(fake) as get:
        broken, whole = (get(LOTS, headers=bearer(fake)) for _ in range(2))
    assert broken.headers["x-ratelimit-remaining"] == "398"
    assert whole.content.startswith(broken.content)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        broken.json()


def test_only_the_headers_of_an_answer_may_be_changed(fake: FakeApi, way: Way) -> None:
    fake.fail("*", "headers", headers={"X-RateLimit-Reset": "12", "Date": "yesterday"})
    with way(fake) as get:
        answer = get("/ru/emission", headers=bearer(fake))
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, "399")
    assert (answer.headers["x-ratelimit-reset"], answer.headers["date"]) == ("12", "yesterday")


def test_a_cut_body_is_a_protocol_error_and_the_next_request_is_fine(fake: FakeApi, way: Way) -> None:
    fake.fail("*", "cut", times=1)
    with way(fake) as get:
        with pytest.raises(httpx.RemoteProtocolError):
            get(LOTS, headers=bearer(fake))
        assert get(LOTS, headers=bearer(fake)).headers["x-ratelimit-remaining"] == "396"


def test_a_reset_is_a_read_error_and_the_next_request_is_fine(fake: FakeApi, way: Way) -> None:
    fake.fail("*", "reset", times=1)
    with way(fake) as get:
        with pytest.raises(httpx.ReadError):
            get(LOTS, headers=bearer(fake))
        assert get(LOTS, headers=bearer(fake)).headers["x-ratelimit-remaining"] == "398"
    assert [(seen.status, seen.fault) for seen in fake.requests] == [(0, "reset"), (200, None)]


@pytest.mark.parametrize("delay", [30.0, float("inf")])
def test_a_delay_longer_than_the_client_waits_is_a_timeout(fake: FakeApi, way: Way, delay: float) -> None:
    fake.fail("*", "delay", delay=delay)
    with way(fake) as get, pytest.raises(httpx.ReadTimeout):
        get("/regions", timeout=IMPATIENT)


def test_a_short_delay_is_only_a_delay(fake: FakeApi, way: Way) -> None:
    fake.fail("*", "delay", delay=0.05)
    with way(fake) as get:
        assert get("/regions").status_code == 200


def test_over_the_transport_waiting_moves_the_clock_and_nothing_else(fake: FakeApi) -> None:
    fake.fail("*", "delay", delay=20.0)
    with httpx.Client(transport=fake.transport(), base_url="https://any", timeout=60.0) as client:
        started, before = time.monotonic(), fake.now
        assert client.get("/regions").status_code == 200
        assert (fake.now - before).total_seconds() == 20
        with pytest.raises(httpx.ReadTimeout):
            client.get("/regions", timeout=5.0)
        assert (fake.now - before).total_seconds() == 25
    assert time.monotonic() - started < 15


def test_a_client_that_would_wait_forever_times_out_over_the_transport(fake: FakeApi) -> None:
    fake.fail("*", "delay", delay=float("inf"))
    client = httpx.Client(transport=fake.transport(), base_url="https://any", timeout=None)  # noqa: S113  # the point
    with client, pytest.raises(httpx.ReadTimeout):
        client.get("/regions")


def test_a_delay_goes_with_any_fault(fake: FakeApi, way: Way) -> None:
    fake.fail("*", "html", delay=30.0)
    with way(fake) as get, pytest.raises(httpx.ReadTimeout):
        get("/regions", timeout=IMPATIENT)


def test_a_streamed_body_arrives_up_to_the_cut(fake: FakeApi) -> None:
    fake.fail("*", "cut")
    with (
        httpx.Client(transport=fake.transport(), base_url="https://any") as client,
        client.stream("GET", "/regions") as answer,
    ):
        assert answer.status_code == 200
        chunks = answer.iter_raw()
        assert next(chunks).startswith(b'[{"id":"RU"')
        with pytest.raises(httpx.RemoteProtocolError):
            next(chunks)


def statuses(fake: FakeApi, *targets: str) -> list[int]:
    return [fake.handle("GET", target, bearer(fake)).status for target in targets]


def test_faults_strike_by_path_in_any_case_in_the_order_they_were_made(fake: FakeApi) -> None:
    fake.fail("/RU/auction/*", status=500, times=1)
    fake.fail("*/lots", status=502, times=2)
    assert statuses(fake, LOTS, "/regions", LOTS, "/EU/auction/kqgy/lots", LOTS) == [500, 200, 502, 502, 200]


def test_healing_switches_all_faults_off(fake: FakeApi) -> None:
    fake.fail("*")
    assert statuses(fake, "/regions") == [503]
    fake.heal()
    assert statuses(fake, "/regions") == [200]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"fault": "explode"}, "fault must be one of"),
        ({"fault": "cut", "status": 500}, "status and body go with"),
        ({"fault": "reset", "body": b""}, "status and body go with"),
        ({"status": 99}, "status must be 200 to 599"),
        ({"delay": -1.0}, "delay must be"),
        ({"delay": float("nan")}, "delay must be"),
        ({"fault": "delay"}, "delay must be"),
        ({"fault": "headers"}, "headers must be given"),
        ({"times": 0}, "times must be 1 or more"),
    ],
)
def test_faults_that_make_no_sense_are_refused(fake: FakeApi, options: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        fake.fail("*", **options)


# ── the socket ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.socket
def test_nothing_is_left_of_a_server_when_its_block_ends(fake: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    threads = threading.active_count()
    caplog.set_level(logging.DEBUG)
    fake.fail("/ru/*", "delay", delay=float("inf"))
    with fake.serve() as url:
        port = int(url.rpartition(":")[2])
        # A connection that is kept open, and one whose answer never comes.
        with httpx.Client(verify=PLAIN, base_url=url) as client:
            assert client.get("/regions").status_code == 200
            waiting = socket.create_connection(("127.0.0.1", port))
            waiting.sendall(b"GET /ru/emission HTTP/1.1\r\nHost: x\r\n\r\n")
            while not any(seen.fault for seen in fake.requests):
                time.sleep(0.001)
    with waiting:
        assert waiting.recv(1) == b""
    assert threading.active_count() == threads
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    gc.collect()
    assert not [record for record in caplog.records if record.name.startswith(("uvicorn", "asyncio.server"))]


@pytest.mark.socket
def test_the_end_of_a_server_takes_no_time_and_leaves_no_connection_that_came_last(fake: FakeApi) -> None:
    began = time.monotonic()
    for _ in range(100):
        with fake.serve() as url:
            port = int(url.rpartition(":")[2])
            last = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        for connection in last:
            connection.close()
    # Two tenths of a second for each would be twenty; it takes less than one on a quiet machine.
    assert time.monotonic() - began < 15
    # An open connection would warn.
    gc.collect()


@pytest.mark.socket
def test_a_port_may_be_chosen_and_used_again(fake: FakeApi) -> None:
    with fake.serve() as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), FakeApi().serve(port=port):
            pytest.fail("two servers on one port")
    with fake.serve(port=port) as again:
        assert again == url
        assert httpx.get(f"{url}/regions", verify=PLAIN).status_code == 200


@pytest.mark.socket
def test_many_connections_are_served_at_once(fake: FakeApi) -> None:
    async def all_of_them(url: str) -> list[int]:
        async with httpx.AsyncClient(verify=PLAIN, base_url=url, headers=bearer(fake)) as client:
            answers = await asyncio.gather(*(client.get("/ru/emission") for _ in range(64)))
        return [answer.status_code for answer in answers]

    with fake.serve() as url:
        assert asyncio.run(all_of_them(url)) == [200] * 64
    assert fake.spend(0) == 400 - 64


@pytest.mark.socket
def test_answers_dont_wait_for_delayed_acknowledgements(fake: FakeApi) -> None:
    with fake.serve() as url, httpx.Client(verify=PLAIN, base_url=url) as client:
        times = []
        for _ in range(100):
            started = time.monotonic()
            client.get("/regions")
            times.append(time.monotonic() - started)
        # 40 ms each with Nagle's algorithm on, but for the first few; about 1 ms without.
        assert sorted(times)[30] < 0.035


@pytest.mark.socket
def test_a_window_passes_by_the_real_clock() -> None:
    fake = FakeApi(clock=time.time, window=0.2, limit=1)
    with fake.serve() as url, httpx.Client(verify=PLAIN, base_url=url, headers=bearer(fake)) as client:
        for _ in range(3):
            answer = client.get("/ru/emission")
            assert answer.status_code == 200
            reset = int(answer.headers["x-ratelimit-reset"]) / 1000
            assert reset - time.time() <= 0.2
            time.sleep(max(0.0, reset - time.time()) + 0.002)


async def test_the_application_runs_under_other_servers_but_for_faults_of_the_connection(
    fake: FakeApi,
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(fake.asgi), base_url="http://any") as client:
        answer = await client.post("/regions", content=b"x" * 100_000)
        assert answer.status_code == 405
        fake.fail("*", "reset")
        with pytest.raises(RuntimeError, match="can't reset a connection"):
            await client.get("/regions")


async def test_the_application_speaks_http_only(fake: FakeApi) -> None:
    with pytest.raises(NotImplementedError, match="websocket"):
        await fake.asgi({"type": "websocket"}, None, None)  # type: ignore[arg-type]  # never called


def test_without_uvicorn_the_message_names_the_extra(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_uvicorn(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "scapi.testing._server":
            raise ImportError("No module named 'uvicorn'")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_uvicorn)
    with pytest.raises(ImportError, match=r'pip install "\.\[fake\]"'):
        fake.serve()


def test_a_reply_is_a_plain_value() -> None:
    assert Reply(200, {}) == Reply(200, {}, b"", delay=0.0, ending="whole")


def test_the_clock_runs_while_the_fake_is_served_unless_told_otherwise() -> None:
    passed = 0.0

    class Fake(FakeApi):
        _monotonic = staticmethod(lambda: 1000.0 + passed)

    fake = Fake()
    start = fake.now
    passed += 5
    assert fake.now == start
    with fake.serve():
        passed += 10
        assert fake.now == start + timedelta(seconds=10)
        fake.advance(100)
        with fake.serve():
            passed += 1
        passed += 1
        assert fake.now == start + timedelta(seconds=112)
    passed += 50
    assert fake.now == start + timedelta(seconds=112)
    with fake.serve(run_clock=False):
        passed += 5
        assert fake.now == start + timedelta(seconds=112)
    own = Fake(clock=lambda: 77.0)
    with own.serve():
        passed += 5
        assert own.now.timestamp() == 77


def test_a_walk_that_takes_more_than_the_points_of_a_window_comes_to_its_end() -> None:
    fake = FakeApi(sales={"zyv9": 700}, limit=4, window=0.5)
    with fake.serve() as url, AppClient(token=fake.app_token, base_url=url) as client:
        assert len(list(client.auction("zyv9").iter_price_history())) == 700
