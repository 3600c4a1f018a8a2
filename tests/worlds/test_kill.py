"""Collectors that are killed: the short form of `python -m benchmarks.kill`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.kill import kill

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.socket


@pytest.mark.parametrize("collectors", [1, 2])
def test_nothing_is_lost_or_doubled_in_sqlite(tmp_path: Path, collectors: int) -> None:
    result = kill(str(tmp_path / "market.db"), items=4, kills=6, collectors=collectors)
    assert (result.missing, result.extra) == (0, 0)
    assert result.sales >= 6000
    assert result.meanwhile > 0


def test_nothing_is_lost_or_doubled_in_postgresql(request: pytest.FixtureRequest) -> None:
    result = kill(request.getfixturevalue("postgres"), items=4, kills=6, collectors=2)
    assert (result.missing, result.extra) == (0, 0)
