from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scapi.cli import output
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing from outside changes what a command does, and its tables are 80 columns wide."""
    for name in ("SCAPI_TOKEN", "SCAPI_CLIENT_ID", "SCAPI_CLIENT_SECRET", "SCAPI_BASE_URL", "SCAPI_REGION", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(scope="session")
def _shared() -> Iterator[tuple[FakeApi, str]]:
    fake = FakeApi(limit=1_000_000)
    with fake.serve() as url:
        yield fake, url


@pytest.fixture
def key(_shared: tuple[FakeApi, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment that leads to a fake which all tests share, and that nobody changes."""
    return _lead_to(*_shared, monkeypatch)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """A fake of the test's own, which the commands ask because the environment says so."""
    fake = FakeApi()
    with fake.serve() as url:
        _lead_to(fake, url, monkeypatch)
        yield fake


def _lead_to(fake: FakeApi, url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    env = {"SCAPI_BASE_URL": url, "SCAPI_TOKEN": fake.app_token}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(output, "now", lambda: fake.now)
    return env
