from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from scapi.cli import connection, login_store
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing from outside changes what a command does or is changed by it, and its tables are 80 columns wide."""
    for name in ("SCAPI_TOKEN", "SCAPI_CLIENT_ID", "SCAPI_CLIENT_SECRET", "SCAPI_BASE_URL", "SCAPI_REGION", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    # Neither the keyring nor the folder of whoever runs the tests.
    monkeypatch.setitem(sys.modules, "keyring", None)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setattr(login_store, "file", lambda: home / "scapi" / "login.json")


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeApi, str, Path]]:
    fake = FakeApi(limit=1_000_000)
    # Its clock stands: lots would end while tests count them.
    with fake.serve(run_clock=False) as url:
        yield fake, url, tmp_path_factory.mktemp("cache")


@pytest.fixture
def key(_shared: tuple[FakeApi, str, Path], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment that leads to a fake which all tests share, and that nobody changes."""
    return _lead_to(*_shared, monkeypatch)


@pytest.fixture
def clock_runs() -> bool:
    """Whether the clock of `fake` runs. Tests that must not cross the end of a window override this."""
    return True


@pytest.fixture
def fake(
    clock_runs: bool, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FakeApi]:
    """A fake of the test's own, which the commands ask because the environment says so."""
    fake = FakeApi()
    with fake.serve(run_clock=clock_runs) as url:
        _lead_to(fake, url, tmp_path_factory.mktemp("cache"), monkeypatch)
        yield fake


def _lead_to(fake: FakeApi, url: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    place = connection.Endpoints(api=url, oauth=f"{url}/oauth", database=url, cache=str(cache))
    monkeypatch.setattr(connection, "LIVE", place)
    env = {"SCAPI_BASE_URL": url, "SCAPI_TOKEN": fake.app_token}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return env
