"""What happens in a fake while a program runs against it."""

import json
import threading

import pytest

from scapi.testing import FakeApi, _activity
from scapi.testing._activity import activity
from tests.support.shared_budgets import until


def totals(fake: FakeApi) -> dict[str, int]:
    """The number of sales and lots of an item."""
    headers = {"authorization": f"Bearer {fake.app_token}"}
    paths = {kind: f"/eu/auction/kqgy/{kind}?limit=1" for kind in ("history", "lots")}
    return {kind: json.loads(fake.handle("GET", path, headers).body)["total"] for kind, path in paths.items()}


def test_items_are_sold_and_listed_until_the_block_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_activity, "PERIOD", 0.01)
    fake = FakeApi(limit=1_000_000)
    before = totals(fake)
    with activity(fake):
        until(lambda: all(now > before[kind] for kind, now in totals(fake).items()))
    assert "scapi-fake-activity" not in {thread.name for thread in threading.enumerate()}
