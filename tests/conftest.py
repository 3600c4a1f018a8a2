from __future__ import annotations

import gc
import os
import secrets
import signal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from scapi import Config
from scapi._ratelimit.registry import registry
from scapi.testing import FakeApi
from scapi.testing._server import serve
from tests.support.postgres import server as postgres_at_work
from tests.support.programs import WarmPython
from tests.support.redis import RedisServer, running_redis

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

# Few examples and the same in every run, so that what fails is the change and not the luck of the draw, on however slow
# a machine. `make test-thorough` takes many more, and with another SEED new ones.
settings.register_profile(
    "scapi", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, max_examples=50
)
settings.register_profile("thorough", settings.get_profile("scapi"), derandomize=False, max_examples=1000)
settings.load_profile("scapi")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts a server of the system, so that `make quick` can leave it out."""
    for item in items:
        if "postgresql" in item.name or "redis_server" in getattr(item, "fixturenames", ()):
            item.add_marker("server")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while test files are imported, because nearly all that is made then stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Keep what was imported and collected out of each full collection of garbage, which stops everything meanwhile."""
    gc.collect()
    gc.freeze()
    # By default, a tenth of the tests' time would be spent on the search for garbage.
    gc.set_threshold(5_000)


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> Iterator[None]:
    """Ctrl-C works, also where the tests run in the background of a shell, which makes all of it deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _clean_slate(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees the environment's credentials, another test's budget, or what that put into `Config`."""
    # Equal credentials share a budget, and a refusal in one test would stop the calls of the next for a minute.
    registry.clear()
    for name in [name for name in os.environ if name.startswith("SCAPI_")]:
        monkeypatch.delenv(name)
    yield
    for name in [name for name in vars(Config) if name.isupper()]:
        delattr(Config, name)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis of this process' own, for tests that don't harm it. They use keys of their own."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def warm_python() -> Iterator[WarmPython]:
    """The process that forks all programs of this test process."""
    python = WarmPython()
    yield python
    python.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[], str]]:
    """A function that makes an empty schema in the PostgreSQL of this process, and returns its URL."""
    with postgres_at_work() as make:
        yield make


@pytest.fixture
def postgres(postgres_server: Callable[[], str]) -> str:
    """The URL of an empty schema."""
    return postgres_server()


@pytest.fixture
def fake() -> FakeApi:
    """The API on this machine, with tokens that no other test uses: budgets are shared by equal credentials."""
    fake = FakeApi(limit=1_000_000, user_limit=1_000_000)
    fake.app_token = f"app-{secrets.token_hex(12)}"
    fake.user_token = f"user-{secrets.token_hex(12)}"
    fake.client_secret = f"secret-{secrets.token_hex(12)}"
    return fake


class Relay:
    """Hands requests to the fake of the test that runs: one server for all."""

    fake: FakeApi

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.fake.asgi(scope, receive, send)


@pytest.fixture(scope="session")
def _relay() -> Iterator[tuple[str, Relay]]:
    relay = Relay()
    with serve(relay) as url:
        yield url, relay


@pytest.fixture
def url(fake: FakeApi, _relay: tuple[str, Relay]) -> str:
    """The fake's address on a real socket."""
    url, relay = _relay
    relay.fake = fake
    return url
