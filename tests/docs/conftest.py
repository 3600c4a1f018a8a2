from __future__ import annotations

import logging
import os
import socket
import threading
import webbrowser
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import scapi
import scapi.sync
from scapi._items import github
from scapi._lists.polling import Backoff
from scapi._ratelimit.registry import registry
from scapi.config import BaseUrl, Config
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    """A fake at which every program arrives that names no host, and an empty folder to work in."""
    fake = FakeApi()
    fake.add_token("...")
    (cache := tmp_path / "cache").mkdir()
    (folder := tmp_path / "folder").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(cache))
    monkeypatch.setenv("SCAPI_CLIENT_ID", fake.client_id)
    monkeypatch.setenv("SCAPI_CLIENT_SECRET", fake.client_secret)
    monkeypatch.setenv("SCAPI_USER_TOKEN", fake.user_token)
    with fake.serve() as url:
        monkeypatch.setenv("SCAPI_BASE_URL", url)
        monkeypatch.setattr(BaseUrl.OAUTH, "_value_", f"{url}/oauth")
        monkeypatch.setattr(github, "RAW_URL", url)
        monkeypatch.setattr(github, "API_URL", url)
        yield fake
    for name in [name for name in vars(Config) if name.isupper()]:
        delattr(Config, name)
    registry.clear()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser, and a free port for it to come back to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for oauth_client in (scapi.OAuthClient, scapi.sync.OAuthClient):
        monkeypatch.setattr(oauth_client, "login", _login_at(oauth_client.login, port))
    monkeypatch.setattr(webbrowser, "open", _browse)


@pytest.fixture
def busy(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A world where something happens all the time, watched without the wait of a minute."""
    over = threading.Event()

    def play() -> None:
        while not over.wait(0.05):
            fake.advance(60)
            fake.sell("zyv9")
            fake.end_emission()
            fake.advance(60)
            fake.start_emission()

    monkeypatch.setattr(Backoff, "after_success", lambda *_: 0.05)
    thread = threading.Thread(target=play)
    thread.start()
    yield
    over.set()
    thread.join()


def _login_at(login: Any, port: int) -> Any:
    return lambda self: login(self, port=port, login_timeout=60)


def _browse(url: str) -> bool:
    return httpx.get(url, follow_redirects=True, trust_env=False).is_success


@pytest.fixture(autouse=True)
def _same_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What an example writes into `os.environ`, or says about logging, is gone after it."""
    before, logger = dict(os.environ), logging.getLogger("scapi")
    level = logger.level
    yield
    os.environ.clear()
    os.environ.update(before)
    logger.setLevel(level)
