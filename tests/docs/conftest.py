from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from scapi.testing import FakeApi
from scapi.testing.__main__ import environment
from tests.support.programs import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.programs import WarmPython


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    """A fake that every program reaches which names no host, and an empty folder to work in."""
    fake = FakeApi()
    fake.add_token("...")
    monkeypatch.chdir(tmp_path)
    with environment(fake) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield fake


@pytest.fixture
def reader(tmp_path: Path, warm_python: WarmPython) -> Reader:
    """Somebody who pastes blocks into files, in an empty folder, without a key and without a network."""
    return Reader(tmp_path, warm_python)


@pytest.fixture(autouse=True)
def _same_environment() -> Iterator[None]:
    """What an example writes into `os.environ`, or says about logging, is gone after it."""
    before, logger = dict(os.environ), logging.getLogger("scapi")
    level = logger.level
    yield
    os.environ.clear()
    os.environ.update(before)
    logger.setLevel(level)
