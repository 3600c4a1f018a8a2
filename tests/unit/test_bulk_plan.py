"""What becomes of a bulk call's errors, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from scapi._lists.bulk import Plan, Target
from scapi._lists.lots import Cheapest
from scapi.exceptions import UnauthorizedError


def plan(**options: Any) -> Plan:
    usual: dict[str, Any] = {"check": str, "concurrency": 1, "on_error": "yield", "progress": None}
    return Plan([], ("ru",), **usual | options)


def test_keys_that_share_an_error_get_one_each() -> None:
    shared = UnauthorizedError("refused", status=401, method="POST", url="https://x.test/oauth/token")
    results = [plan().failed(Target("ru", key), shared) for key in ("a", "b", "c")]
    errors = [result.error for result in results]
    assert [error and error.__notes__ for error in errors] == [["key: 'a'"], ["key: 'b'"], ["key: 'c'"]]
    assert {str(error) for error in errors} == {str(shared)}


def test_what_could_not_be_awaited_is_refused() -> None:
    async def progress(done: int, total: int | None) -> None:
        raise AssertionError("nobody awaits it")

    with pytest.raises(TypeError, match="progress must be a plain function, not the coroutine function"):
        plan(progress=progress)


def test_a_where_that_could_not_be_awaited_is_refused() -> None:
    async def where(lot: object) -> bool:
        raise AssertionError("nobody awaits it")

    with pytest.raises(TypeError, match="where must be a plain function"):
        Cheapest(1, where)
