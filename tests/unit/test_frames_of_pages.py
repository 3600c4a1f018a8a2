"""Frames made page by page from the wire are the frames of the models, and both are what the rows say."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from scapi import frames
from scapi._views import builders
from scapi.models import AuctionPrice
from scapi.sync import AppClient

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

NEWEST = datetime(2026, 8, 19, 12, 0, tzinfo=UTC)
KNOWN = [
    "qlt", "ptn", "upgrade_bonus", "bonus_properties", "stats_random", "ndmg", "md_k", "it_transf_count", "spawn_time",
    "buyer",
]  # fmt: skip

words = st.text('aё한"\\ \n\u2028', max_size=3)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.integers(-2, 20)
    | st.sampled_from([0.0, -0.0, 3.0, 2.5, 1e16, 1e300, -1e-7])
    | words
)
values = (
    scalars | st.lists(words, max_size=2) | st.lists(scalars, max_size=2) | st.dictionaries(words, scalars, max_size=2)
)
odd = st.dictionaries(st.sampled_from([*KNOWN, "future"]), values)
usual = st.fixed_dictionaries(
    {"qlt": st.integers(0, 7), "upgrade_bonus": st.just(0.0)},
    optional={
        "ptn": st.integers(1, 15),
        "spawn_time": st.integers(1_700_000_000_000, 1_790_000_000_000),
        "bonus_properties": st.lists(st.sampled_from(["SPEED_MOD", "STAMINA_BONUS"]), max_size=2),
        "it_transf_count": st.integers(1, 9),
        "buyer": words,
    },
)
#: Spellings of a time that the server may take up; the last ones are mended.
SPELLINGS: list[Callable[[datetime], str]] = [
    lambda time: f"{time:%Y-%m-%dT%H:%M:%SZ}",
    lambda time: f"{time:%Y-%m-%dT%H:%M:%S.25Z}",
    lambda time: f"{time + timedelta(hours=3):%Y-%m-%dT%H:%M:%S+03:00}",
    lambda time: f"{time:%Y-%m-%dT%H:%M:%S}",
    lambda time: f"{time + timedelta(hours=3):%Y-%m-%dT%H:%M:%S+03}",
]


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Sales as they are on the wire, newest first, some of them in odd spellings."""
    kinds = st.tuples(
        st.integers(0, 9) | st.integers(0, 9).map(str) | st.integers(0, 9).map(float),
        st.integers(-5, 2**62),
        st.sampled_from(SPELLINGS),
        usual | odd | st.just(None),
    )
    return [
        {"amount": amount, "price": price, "time": spell(NEWEST - timedelta(minutes=number)), "additional": details}
        for number, (amount, price, spell, details) in enumerate(draw(st.lists(kinds, max_size=12)))
    ]


def client_of(rows: list[dict[str, Any]], most: int) -> AppClient:
    """A client of a server that has these sales, and gives no more than so many of them at once."""

    def answer(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        limit = min(int(request.url.params["limit"]), most)
        body = json.dumps({"total": len(rows), "prices": rows[offset : offset + limit]})
        return httpx.Response(200, content=body, headers={"content-type": "application/json"})

    http_client = httpx.Client(transport=httpx.MockTransport(answer))
    return AppClient(token="t", http_client=http_client, pace=False, retry=None)


def expected(sale: AuctionPrice) -> dict[str, Any]:
    """The row of a sale, written down by hand."""
    return {
        "amount": sale.amount,
        "price": sale.price,
        "time": sale.time.astimezone(UTC),
        "quality": None if sale.quality is None else sale.quality.name.lower(),
        "upgrade_level": sale.upgrade_level,
        "unit_price": sale.unit_price,
        "additional": sale.additional,
    }


@settings(max_examples=60)
@given(histories(), st.integers(4, 200), st.booleans())
def test_frames_of_pages_are_those_of_the_models(rows: list[dict[str, Any]], most: int, flatten: bool) -> None:
    with client_of(rows, most) as client:
        models = list(client.auction("zyv9").iter_price_history(additional=True))
        assert len(models) == len(rows)
        for way in ("to_dicts", "to_polars", "to_pandas", "to_arrow"):
            given_rows = client.auction("zyv9").iter_price_history(additional=True)
            frame = getattr(given_rows, way)(flatten=flatten)
            other = getattr(frames, way)(models, model=AuctionPrice, flatten=flatten)
            assert frame == other if way == "to_dicts" else frame.equals(other)


@settings(max_examples=60)
@given(histories())
def test_a_frame_says_what_the_rows_say_each_by_itself(rows: list[dict[str, Any]]) -> None:
    with client_of(rows, 200) as client:
        page = client.auction("zyv9").price_history(limit=200, additional=True)
    wanted = [expected(sale) for sale in page]
    found = page.to_dicts()
    assert repr(found) == repr(wanted)  # 1, 1.0 and True are equal, and not the same
    polars = page.to_polars().to_dicts()
    assert [{**row, "additional": json.loads(row["additional"])} for row in polars] == found
    singly = [row for sale in page for row in frames.to_dicts([sale], flatten=True)]
    assert repr(page.to_dicts(flatten=True)) == repr(singly)


def test_a_level_of_true_is_none_and_a_level_of_one_stays_one_beside_it() -> None:
    sales = [
        AuctionPrice(amount=1, price=1, time=NEWEST, additional={"qlt": value, "ptn": value})
        for value in (1, True, 1.0, "1", None, [1], math.nan, 2**80, 1)
    ]
    levels = [1, 0, 1, 0, 0, 0, 0, 0, 1]
    assert [row["upgrade_level"] for row in frames.to_dicts(sales)] == levels
    assert [row["upgrade_level"] for sale in sales for row in frames.to_dicts([sale])] == levels
    names = [None if sale.quality is None else sale.quality.name.lower() for sale in sales]
    assert [row["quality"] for row in frames.to_dicts(sales)] == names
    plain = [sale for sale in sales if not isinstance(sale.additional["qlt"], bool | list)]
    assert [row["upgrade_level"] for row in frames.to_dicts(plain)] == [sale.upgrade_level for sale in plain]


def test_parts_of_a_frame_are_one_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    details: list[dict[str, Any]] = [{}, {"qlt": 3, "new": [1]}, {"bonus_properties": ["A"], "ptn": 2}]
    sales = [AuctionPrice(amount=1, price=n, time=NEWEST - timedelta(n), additional=details[n % 3]) for n in range(100)]
    whole = {
        way: getattr(frames, way)(sales, flatten=True) for way in ("to_dicts", "to_polars", "to_arrow", "to_pandas")
    }
    monkeypatch.setattr(builders, "PART", 7)
    for way, frame in whole.items():
        parts = getattr(frames, way)(sales, flatten=True)
        assert parts == frame if way == "to_dicts" else parts.equals(frame)


def test_a_dict_of_a_frame_is_nobody_elses() -> None:
    sale = AuctionPrice(amount=1, price=1, time=NEWEST, additional={"bonus_properties": ["A"]})
    [row] = frames.to_dicts([sale])
    row["additional"]["bonus_properties"].append("B")
    assert sale.additional == {"bonus_properties": ["A"]}


def test_times_of_any_offset_are_utc_in_every_frame() -> None:
    early = datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    for time in (early, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)):
        sale = AuctionPrice(amount=1, price=1, time=time)
        assert frames.to_polars([sale])["time"].to_list() == [time]
        assert frames.to_dicts([sale])[0]["time"] == time
