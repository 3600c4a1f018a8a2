"""Odd and extreme times and integers: each ends in a clear cell or in an error that names it."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from scapi import Retry, frames, models
from scapi._api import decoding, requests
from scapi._auth import oauth
from scapi._base import formatting, validation
from scapi._items import github
from scapi._lists.watch_differs import EmissionDiffer, SalesDiffer
from scapi.cli import exports, tables
from scapi.cli.formatting import clock, minute, number
from scapi.enums import Quality
from scapi.exceptions import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec
    from rich.console import RenderableType

NOON = datetime(2026, 8, 19, 12, tzinfo=UTC)
MOSCOW = datetime(2026, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))
#: There are times that UTC has no year for, and they can be written down.
AFTER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-23, minutes=-59)))
BEFORE = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23)))
HUGE = 10**400


def printed(table: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=9999)
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO


def sale(time: datetime = NOON, *, price: int = 1, amount: int = 1, **additional: Any) -> models.AuctionPrice:
    return models.AuctionPrice(amount=amount, price=price, time=time, additional=additional)


def lot(**changes: Any) -> models.AuctionLot:
    fields = {"item_id": "x", "amount": 1, "start_price": 0, "buyout_price": 1, "start_time": NOON, "end_time": NOON}
    return models.AuctionLot(**fields | changes)


# ── what callers pass ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["1712010112123", "1755561600000", "20251201", "1712010112.123", " 1 ", ""])
def test_digits_alone_are_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r"^before must be a datetime or an ISO 8601 string"):
        validation.moment("before", text)


@pytest.mark.parametrize("text", ["2025-12-01", "2025-12-01T00:00:00Z", "20251201T000000Z", "2025-12-01 03:00+03:00"])
def test_iso_8601_is_a_date(text: str) -> None:
    assert validation.moment("before", text) == datetime(2025, 12, 1, tzinfo=UTC)


def test_pandas_nat_is_no_time_and_its_timestamp_is() -> None:
    with pytest.raises(ValueError, match=r"^after must be a datetime or an ISO 8601 string .*, not NaT$"):
        requests.operations_sessions(
            "ru", limit=None, offset=None, sort=None, order=None, map=None, username=None, before=None, after=pd.NaT
        )
    assert validation.timestamp("after", pd.Timestamp("2026-01-01T03:00:00+03:00")) == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint32])
def test_an_integer_of_numpy_is_an_integer(kind: Callable[[int], Any]) -> None:
    found = validation.integer("limit", kind(7), 0, 200)
    assert (found, type(found)) == (7, int)
    assert Retry(attempts=kind(2)).attempts == 2
    assert Quality(kind(9)) is Quality(9)
    assert "limit=7&offset=7" in requests.clans("ru", limit=kind(7), offset=kind(7)).target
    assert validation.seconds("timeout", kind(7)) == 7.0


@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), 0.5], ids=["float32", "float64", "float"])
def test_a_number_of_numpy_is_a_number(value: Any) -> None:
    found = validation.seconds("timeout", value)
    assert (found, type(found)) == (0.5, float)
    assert Retry(max_wait=value, backoff=value).backoff == 0.5


@pytest.mark.parametrize("value", [True, 7.5, "7", None, np.float64(7), np.array([1, 2]), pd.NA])
def test_what_is_no_integer_is_named(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^limit must be an integer from 0 to 200, not "):
        validation.integer("limit", value, 0, 200)


@pytest.mark.parametrize("value", [True, "7", None, np.array([1, 2]), pd.NA, math.nan, HUGE])
def test_what_is_no_length_of_time_is_named(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^timeout must be a number of seconds, 0 or more, not "):
        validation.seconds("timeout", value)


def test_a_length_from_before_the_year_1_is_refused() -> None:
    for length in ("999999d", timedelta.max):
        with pytest.raises(ValueError, match="since must be"):
            validation.moment("since", length, NOON)


# ── what servers send ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("time", ["1712010112123", 1712010112123], ids=["text", "number"])
def test_milliseconds_of_the_epoch_are_no_year_1712(time: object) -> None:
    body = {"total": 1, "prices": [{"amount": 1, "price": 1, "time": time}]}
    page = decoding.PRICES(json.dumps(body).encode(), page=decoding.Page(limit=1, offset=0))
    assert (len(page), len(page.rejected)) == (0, 1)


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (MOSCOW, "2026-01-01 00:00:00"),
        (NOON, "2026-08-19 12:00:00"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01 00:00:00"),
        (AFTER, "9999-12-31 23:59:59-23:59"),
        (BEFORE, "0001-01-01 00:00:00+23:00"),
    ],
)
def test_a_cell_of_time_is_in_utc_or_says_that_it_is_not(time: datetime, shown: str) -> None:
    assert clock(time) == shown
    assert minute(time)[:16] == shown[:16]
    rows = csv_of(sale(time))
    assert rows[0]["time"] == shown.replace(" ", "T") + ("Z" if len(shown) == 19 else "")
    # Whatever spells a time so, the same moment is read back.
    assert datetime.fromisoformat(rows[0]["time"]) == time


def csv_of(*rows: msgspec.Struct) -> list[dict[str, str]]:
    file = io.BytesIO()
    exports.write_csv(file, rows, type(rows[0]))
    return list(csv.DictReader(io.StringIO(file.getvalue().decode(), newline="")))


def test_fractions_of_a_second_stay_in_csv() -> None:
    assert csv_of(sale(NOON.replace(microsecond=5)))[0]["time"] == "2026-08-19T12:00:00.000005Z"


@pytest.mark.parametrize("time", [AFTER, BEFORE])
def test_a_table_of_a_notebook_says_that_a_time_is_beyond_all_years(time: datetime) -> None:
    page = models.Listing([sale(time)], total=1, limit=1)
    assert ("after the year 9999" if time is AFTER else "before the year 1") in page._repr_html_()


@pytest.mark.parametrize("make", [frames.to_dicts, frames.to_polars, frames.to_pandas, frames.to_arrow])
def test_a_frame_names_the_time_and_the_integer_that_it_has_no_room_for(make: Callable[..., object]) -> None:
    for time in (AFTER, BEFORE):
        with pytest.raises(ValueError, match=r"^time of row 1 must be within the years 1 to 9999"):
            make([sale(), sale(time)])
    with pytest.raises(ValueError, match=r"^price of row 1 must fit in 64 bits"):
        make([sale(), sale(price=2**63)])
    assert make([sale(datetime(1, 1, 1, tzinfo=UTC)), sale(datetime(9999, 12, 31, tzinfo=UTC))]) is not None


@pytest.mark.parametrize(("changes", "name"), [({"price": 2**63}, "price"), ({"time": AFTER}, "time")])
def test_parquet_names_what_it_has_no_room_for(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(DecodeError, match=rf"^{name} of row 0 must .* Parquet"):
        exports.write_parquet(io.BytesIO(), [sale(**changes)], models.AuctionPrice)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2**63 - 1, "9 223 372 036 854 775 807"),
        (2**63, "9.223e+18"),
        (HUGE, "1.000e+400"),
        (-HUGE, "-1.000e+400"),
        (math.inf, "inf"),
    ],
)
def test_a_cell_of_numbers_has_room_for_any(value: float, shown: str) -> None:
    assert number(value) == shown.replace(" ", "\N{NO-BREAK SPACE}")
    assert re.fullmatch(r"-?[\d.\xa0]+(e\+\d+)?|inf", number(value, 2))


def test_a_price_per_piece_that_no_float_holds_is_infinite() -> None:
    assert (sale(price=HUGE).unit_price, sale(price=-HUGE).unit_price) == (math.inf, -math.inf)
    assert lot(buyout_price=HUGE).unit_price == math.inf


def test_every_view_has_room_for_any_number_and_time() -> None:
    for row in (sale(AFTER, price=HUGE, amount=HUGE), sale(BEFORE, price=-HUGE)):
        assert len(printed(tables.sales([row], NOON)).splitlines()) == 3
        assert csv_of(row)[0]["price"] == str(row.price)
        assert "e+400" in models.Listing([row], total=HUGE, limit=1)._repr_html_()
        exports.write_jsonl(io.BytesIO(), [row], models.AuctionPrice)
    for lots in (lot(end_time=AFTER, start_time=BEFORE, buyout_price=HUGE), lot(end_time=BEFORE, amount=HUGE)):
        assert len(printed(tables.lots([lots], NOON)).splitlines()) == 3
    stats = [models.Statistic(id="x", type=kind, value=HUGE) for kind in ("DURATION", "INTEGER", "DATE", "OTHER")]
    assert [tables._value(stat) for stat in stats][:2] == ["10000000000000000000", "1.000e+400"]
    assert tables._length(1e300) == "1e+300 s"


# ── arithmetic with them ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_time_that_is_moved_stays_within_the_years() -> None:
    assert formatting.shifted(NOON, timedelta(hours=1)) == NOON + timedelta(hours=1)
    assert formatting.shifted(AFTER, timedelta(hours=1)) == formatting.LAST
    assert formatting.shifted(BEFORE, -timedelta(hours=1)) == formatting.FIRST


def test_a_watcher_survives_a_sale_of_the_year_1() -> None:
    differ = SalesDiffer("ru", "x", None, None, NOON)
    poll = differ.poll()
    newest = models.Listing([sale(datetime(1, 1, 1, tzinfo=UTC))], total=1, limit=1)
    next(poll)
    poll.send(newest)
    with pytest.raises(StopIteration):
        poll.send(newest)
    assert differ.state.begun


def test_a_watcher_survives_an_emission_of_the_year_9999() -> None:
    differ = EmissionDiffer("ru", models.EmissionWatchState(region="ru", started=AFTER, ended=AFTER))
    poll = differ.poll()
    next(poll)
    with pytest.raises(StopIteration):
        poll.send(models.EmissionState(current_start=NOON, previous_start=NOON, previous_end=NOON))
    assert not differ.pending


def test_a_token_of_the_year_1_is_due() -> None:
    year_1 = datetime(1, 1, 1, tzinfo=UTC)
    token = models.UserToken(access_token="a", refresh_token="r", expires_in=10**6, expires_at=year_1)
    assert oauth.is_due(token, NOON)


def test_a_limit_of_5000_digits_is_none() -> None:
    found = github.ratelimit({f"x-ratelimit-{name}": "9" * 5000 for name in ("limit", "remaining", "reset")})
    assert (found.limit, found.remaining, found.reset) == (None, None, None)
