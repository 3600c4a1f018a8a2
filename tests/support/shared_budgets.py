"""What tests of budgets in a database have in common."""

from __future__ import annotations

import itertools
import logging
import os
import time
from typing import TYPE_CHECKING, Any

import httpx

from scapi import sync
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

#: Seconds within which something happens that takes at most two, on a busy machine too.
SOON = 30.0
_numbers = itertools.count()


def start(limit: int = 400, **options: Any) -> FakeApi:
    """A fake whose token no other test uses: the budget goes by it."""
    fake = FakeApi(limit=limit, **options)
    fake.app_token = f"token-of-a-budget-{os.getpid()}-{next(_numbers)}"
    return fake


def connect(fake: FakeApi, budget: Any, **options: Any) -> sync.AppClient:
    http_client = httpx.Client(transport=fake.transport())
    return sync.AppClient(token=fake.app_token, http_client=http_client, budget=budget, **options)


def until(condition: Callable[[], object], seconds: float = SOON) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
