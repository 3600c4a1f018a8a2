"""Frames: the columns of every model, on full, empty and odd pages, in every library; and tables in notebooks."""

from __future__ import annotations

import builtins
import json
import pickle
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scapi import enums, frames, models
from scapi._views.columns import records_in
from scapi._views.filled_columns import Table
from scapi.exceptions import NotFoundError
from scapi.models import (
    AuctionLot,
    AuctionPrice,
    BulkError,
    BulkValue,
    CharacterProfile,
    ClanInfo,
    EmissionState,
    Listing,
    OperationParticipant,
    OperationSession,
    Rejected,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 8, 19, 12, 0, 0, 123456, tzinfo=UTC)
MODELS = [
    model
    for model in vars(models).values()
    if isinstance(model, type) and issubclass(model, models.ClanInfo.__mro__[1])
]

SALE = {"amount": "int", "price": "int", "time": "time"}
TRADED = {"quality": "string", "upgrade_level": "int", "unit_price": "float"}
FLAT = {
    "qlt": "int",
    "ptn": "int",
    "upgrade_bonus": "float",
    "bonus_properties": "strings",
    "stats_random": "float",
    "ndmg": "float",
    "md_k": "float",
    "it_transf_count": "int",
    "spawn_time": "time",
    "buyer": "string",
    "additional": "string",
}
SESSION = {
    "id": "int",
    "map": "string",
    "start_time": "time",
    "end_time": "time",
    "difficulty": "int",
    "duration_seconds": "float",
    "reward": "int",
}
PARTICIPANT = {
    "username": "string",
    "death": "int",
    "mob_kills": "int",
    "damage_received": "float",
    "damage_dealt": "float",
    "armor_class": "string",
    "armor_item_id": "string",
    "armor_level": "int",
    "primary_weapon_item_id": "string",
    "primary_weapon_level": "int",
    "secondary_weapon_item_id": "string",
    "secondary_weapon_level": "int",
}
CLAN = {
    "uuid": "string",
    "name": "string",
    "tag": "string",
    "level": "int",
    "level_points": "int",
    "registration_time": "time",
    "alliance": "string",
    "description": "string",
    "leader": "string",
    "member_count": "int",
}
SCHEMAS: list[tuple[type, dict[str, bool], dict[str, str]]] = [
    (AuctionPrice, {}, {**SALE, **TRADED, "additional": "string"}),
    (AuctionPrice, {"flatten": True}, {**SALE, **TRADED, **FLAT}),
    (OperationSession, {}, {**SESSION, "participants": "string"}),
    (OperationSession, {"explode": True}, {**SESSION, **PARTICIPANT}),
    (ClanInfo, {}, CLAN),
    (
        EmissionState,
        {},
        dict.fromkeys(["current_start", "previous_start", "previous_end"], "time") | {"active": "bool"},
    ),
    (
        models.Character,
        {},
        {"info_uuid": "string", "info_name": "string", "info_creation_time": "time"}
        | {f"clan_info_{name}": kind for name, kind in CLAN.items()}
        | {"clan_member_name": "string", "clan_member_rank": "string", "clan_member_join_time": "time"},
    ),
    (str, {}, {"name": "string"}),
]

POLARS = {
    "int": pl.Int64(),
    "float": pl.Float64(),
    "string": pl.String(),
    "bool": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
    "strings": pl.List(pl.String()),
}
PANDAS = {
    "int": "Int64",
    "float": "float64",
    "string": "string",
    "bool": "boolean",
    "time": "datetime64[us, UTC]",
    "strings": "object",
}
ARROW = {
    "int": pa.int64(),
    "float": pa.float64(),
    "string": pa.string(),
    "bool": pa.bool_(),
    "time": pa.timestamp("us", "UTC"),
    "strings": pa.list_(pa.string()),
}


def sale(**changes: Any) -> AuctionPrice:
    return AuctionPrice(**{"amount": 2, "price": 2500, "time": NOON, **changes})


def lot(**changes: Any) -> AuctionLot:
    usual = {"item_id": "kqgy", "amount": 2, "start_price": 0, "buyout_price": 500}
    return AuctionLot(**{**usual, "start_time": NOON, "end_time": NOON, **changes})


def session(*names: str, number: int = 1472603904834535425) -> OperationSession:
    return OperationSession(
        id=number,
        map=models.operations.OperationsMap("shock_therapy"),
        start_time=NOON,
        end_time=NOON,
        difficulty=7,
        duration_seconds=718.1,
        reward=300,
        participants=[OperationParticipant(username=name, damage_dealt=1.5) for name in names],
    )


def page(*rows: Any, model: type | None = None) -> Listing[Any]:
    return Listing(rows, total=1000, limit=20, model=model)


def filled(model: type) -> Any:
    """One row of a model, the poorer for everything that may be absent."""
    if model is str:
        return "Шустрый"
    required = [field for field in msgspec.structs.fields(model) if field.required]
    return model(**{field.name: example(field.type) for field in required})


def example(declared: Any) -> Any:
    if isinstance(declared, type) and issubclass(declared, msgspec.Struct):
        return filled(declared)
    return msgspec.convert({datetime: NOON.isoformat(), int: 7, float: 0.5}.get(_bare(declared), "other"), declared)


def _bare(declared: Any) -> Any:
    return getattr(declared, "__origin__", declared)


# ── schemas ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("model", "options", "schema"), SCHEMAS)
@pytest.mark.parametrize("rows", ["none", "one"])
def test_a_model_has_the_same_columns_in_every_library_however_many_rows_there_are(
    model: type, options: dict[str, bool], schema: dict[str, str], rows: str
) -> None:
    given = page(*([filled(model)] if rows == "one" else []), model=model)
    assert dict(given.to_polars(**options).schema) == {name: POLARS[kind] for name, kind in schema.items()}
    arrow = given.to_arrow(**options).schema
    assert dict(zip(arrow.names, arrow.types, strict=True)) == {name: ARROW[kind] for name, kind in schema.items()}
    pandas = {str(name): str(kind) for name, kind in given.to_pandas(**options).dtypes.items()}
    assert pandas == {name: PANDAS[kind] for name, kind in schema.items()}
    assert all(list(row) == list(schema) for row in given.to_dicts(**options))


@pytest.mark.parametrize("model", MODELS)
def test_no_model_has_two_columns_of_one_name(model: type) -> None:
    for flatten in (False, True):
        names = [
            column.name for column in Table(model, flatten=flatten and "additional" in model.__struct_fields__).fill([])
        ]
        inner = records_in(model)
        names += [column.name for column in Table(inner[1]).fill([])] if inner else []
        assert len(names) == len(set(names)) > 0
        assert all(re.fullmatch("[a-z_]+", name) for name in names)


@pytest.mark.parametrize("convert", [frames.to_dicts, frames.to_polars, frames.to_pandas, frames.to_arrow])
def test_an_empty_iterable_needs_to_be_told_what_it_would_be(convert: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="model must say what the rows are"):
        convert([])
    assert len(convert([], model=AuctionLot)) == 0


# ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_values_are_the_models_own() -> None:
    [row] = page(sale(additional={"qlt": 3, "ptn": 5.0, "future": [1]})).to_dicts()
    assert row == {
        "amount": 2,
        "price": 2500,
        "time": NOON,
        "additional": {"qlt": 3, "ptn": 5.0, "future": [1]},
        "quality": "rare",
        "upgrade_level": 5,
        "unit_price": 1250.0,
    }


def test_absent_values_are_null_and_not_numbers() -> None:
    rows = page(lot(buyout_price=0), lot(current_price=2**62 + 1))
    for column, values in {
        "current_price": [None, 2**62 + 1],
        "unit_price": [None, 250.0],
        "quality": [None] * 2,
    }.items():
        assert rows.to_polars()[column].to_list() == values
        assert rows.to_arrow()[column].to_pylist() == values
        assert [None if pd.isna(value) else value for value in rows.to_pandas()[column]] == values


def test_values_that_nobody_has_seen_stay_as_they_came() -> None:
    clan = msgspec.convert(
        {"id": "1", "name": "§4x", "tag": "T", "level": 1, "levelPoints": 2, "registrationTime": "1969-12-31T23:59:59Z",
         "alliance": "newcomers", "leader": "x", "memberCount": 3},
        ClanInfo,
    )  # fmt: skip
    [row] = frames.to_polars([clan]).to_dicts()
    assert row["alliance"] == "newcomers"
    assert row["registration_time"] == datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)
    [row] = frames.to_dicts([lot(additional={"qlt": 9})])
    assert row["quality"] == "quality_9"


def test_an_integer_that_64_bits_cannot_hold_is_refused_by_name() -> None:
    rows = [sale(price=-(2**63)), sale(price=2**63 - 1), sale(price=2**63)]
    assert frames.to_polars(rows[:2])["price"].to_list() == [-(2**63), 2**63 - 1]
    for convert in (frames.to_polars, frames.to_pandas, frames.to_arrow, frames.to_dicts):
        with pytest.raises(ValueError, match=r"price of row 2 must fit in 64 bits, which 9.223e\+18 doesn't"):
            convert(rows)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([sale(), lot()], "not both AuctionPrice and AuctionLot"),
        ([{"amount": 1}], "must be models or strings, not dict"),
        ([BulkValue(key="a", region="ru", value=[sale()]), sale()], "not both BulkValue and BulkValue"),
        (sale(), "must be an iterable of models, not AuctionPrice"),
        ("abc", "must be an iterable of models, not 'abc'"),
    ],
)
def test_rows_of_other_kinds_are_refused(rows: Any, reason: str) -> None:
    with pytest.raises(TypeError, match=reason.replace("BulkValue and BulkValue", "BulkValue and ")):
        frames.to_polars(rows)


def test_a_table_is_refused_that_asks_for_what_the_rows_have_not() -> None:
    with pytest.raises(ValueError, match="flatten must be False for OperationSession, which has no additional"):
        page(session("a")).to_polars(flatten=True)
    with pytest.raises(ValueError, match="explode must be False for AuctionPrice, which has no list of records"):
        page(sale()).to_polars(explode=True)
    with pytest.raises(ValueError, match="explode must be False for str"):
        page("name").to_polars(explode=True)
    with pytest.raises(ValueError, match="flatten must be False for str"):
        page("name").to_polars(flatten=True)


# ── flatten, explode, bulk ────────────────────────────────────────────────────────────────────────────────────────────


def test_flattened_keys_that_hold_something_else_stay_in_the_json() -> None:
    odd = {"qlt": "high", "ptn": True, "md_k": 10**400, "spawn_time": 10**18, "bonus_properties": [1], "buyer": 7}
    odd |= {"ndmg": None, "it_transf_count": 2.5, "stats_random": 2**53 + 1, "upgrade_bonus": "0"}
    [row] = page(sale(additional=odd)).to_dicts(flatten=True)
    assert row["additional"] == odd
    assert all(row[key] is None for key in FLAT if key != "additional")


def test_flattened_keys_have_their_own_kinds() -> None:
    full = {"qlt": 2.0, "ptn": 15, "upgrade_bonus": 0, "bonus_properties": ["SPEED_MOD"], "buyer": "Buyer1"}
    full |= {"spawn_time": 1785874687778, "new": {"a": 1}}
    [row] = page(sale(additional=full)).to_polars(flatten=True).to_dicts()
    assert (row["qlt"], row["ptn"], row["upgrade_bonus"], row["buyer"]) == (2, 15, 0.0, "Buyer1")
    assert row["bonus_properties"] == ["SPEED_MOD"]
    assert row["spawn_time"] == datetime(2026, 8, 4, 20, 18, 7, 778000, tzinfo=UTC)
    assert json.loads(row["additional"]) == {"new": {"a": 1}}


def test_every_participant_gets_a_row_and_a_session_without_any_keeps_its_own() -> None:
    rows = page(session("a", "b", number=1), session(number=2), session("a", number=3))
    frame = rows.to_polars(explode=True)
    assert frame["id"].to_list() == [1, 1, 2, 3]
    assert frame["username"].to_list() == ["a", "b", None, "a"]
    assert frame["damage_dealt"].to_list() == [1.5, 1.5, None, 1.5]


def test_statistics_of_profiles_get_rows_under_the_key_that_was_asked_for() -> None:
    profile = msgspec.convert(
        {"uuid": "1", "username": "ZIV", "stats": [{"id": "kil", "type": "INTEGER", "value": 3},
                                                  {"id": "reg-tim", "type": "DATE", "value": "2020-01-01T00:00:00Z"}]},
        CharacterProfile,
    )  # fmt: skip
    frame = frames.to_polars([BulkValue(key="ziv", region="ru", value=profile)], explode=True)
    assert frame.select("key", "name", "id", "value").rows() == [
        ("ziv", "ZIV", "kil", "3"),
        ("ziv", "ZIV", "reg-tim", '"2020-01-01T00:00:00Z"'),
    ]


def test_the_key_of_a_bulk_result_is_a_column() -> None:
    results = [
        BulkValue(key="a", region="ru", value=page(sale(price=1), sale(price=2))),
        BulkValue(key="b", region="ru", value=page(model=AuctionPrice)),
        BulkValue(key="c", region="ru", value=page(sale(price=3))),
    ]
    frame = frames.to_polars(iter(results))
    assert frame.columns[0] == "key"
    assert frame.select("key", "price").rows() == [("a", 1), ("a", 2), ("c", 3)]


def test_bulk_results_that_are_all_empty_have_the_columns_of_full_ones() -> None:
    frame = frames.to_arrow([BulkValue(key="a", region="ru", value=page(model=AuctionPrice))])
    assert frame.num_rows == 0
    assert frame.column_names == ["key", "region", *SALE, *TRADED, "additional"]


def test_the_error_of_a_bulk_result_is_raised_and_never_becomes_a_missing_row() -> None:
    missing = NotFoundError("no such item", status=404, method="GET", url="https://any", data=None, headers={})
    with pytest.raises(NotFoundError) as caught:
        frames.to_polars(
            [BulkValue(key="a", region="ru", value=page(sale())), BulkError(key="b", region="ru", error=missing)]
        )
    assert caught.value is missing


# ── there and back ────────────────────────────────────────────────────────────────────────────────────────────────────

moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))  # noqa: DTZ001  # hypothesis wants naive bounds
words = st.text('aё한"\\ ', max_size=3)
whole = st.integers(-(2**63), 2**63 - 1)
details = st.dictionaries(
    st.sampled_from([*FLAT, "future"]),
    st.none() | st.booleans() | whole | st.floats(-1e15, 1e15) | words | st.lists(words, max_size=2),
)
sales = st.lists(
    st.builds(AuctionPrice, amount=st.integers(0, 10**6), price=whole, time=moments, additional=details), max_size=8
)


@given(sales, st.booleans())
def test_all_libraries_hold_the_same(rows: list[AuctionPrice], flatten: bool) -> None:
    given = Listing(rows, total=0, limit=0, model=AuctionPrice)
    arrow, polars = given.to_arrow(flatten=flatten), given.to_polars(flatten=flatten)
    assert polars.to_dicts() == arrow.to_pylist()
    pandas = given.to_pandas(flatten=flatten).astype(object)
    assert pandas.where(pandas.notna(), None).to_dict("records") == polars.to_dicts()
    dicts = given.to_dicts(flatten=flatten)
    assert [row["time"] for row in dicts] == polars["time"].to_list() == [row.time for row in rows]
    assert [row["price"] for row in dicts] == [row.price for row in rows]


@given(sales)
def test_flattening_loses_nothing(rows: list[AuctionPrice]) -> None:
    for row, flat in zip(rows, frames.to_dicts(rows, model=AuctionPrice, flatten=True), strict=True):
        again = {
            key: flat[key] for key in FLAT if key in row.additional and flat[key] is not None and key != "additional"
        }
        if "spawn_time" in again:
            again["spawn_time"] = (again["spawn_time"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        assert again | (flat["additional"] or {}) == row.additional


def test_frames_survive_parquet(tmp_path: Any) -> None:
    rows = page(
        sale(additional={"qlt": 1, "bonus_properties": ["A"], "spawn_time": 1}), sale(price=0), model=AuctionPrice
    )
    for shown in (rows, page(model=AuctionPrice)):
        for options in ({}, {"flatten": True}):
            file = tmp_path / "sales.parquet"
            shown.to_polars(**options).write_parquet(file)
            assert pl.read_parquet(file).equals(shown.to_polars(**options))
            assert pl.read_parquet(file).schema == shown.to_polars(**options).schema
            pq.write_table(shown.to_arrow(**options), file)
            assert pq.read_table(file).equals(shown.to_arrow(**options))
            assert pl.read_parquet(file).equals(shown.to_polars(**options))


def test_a_listing_that_was_pickled_still_knows_its_columns() -> None:
    rows = Listing([], total=3, limit=20, offset=1, rejected=[Rejected(0, {}, "?")], model=AuctionPrice)
    again = pickle.loads(pickle.dumps(rows))
    assert again.to_arrow().schema == rows.to_arrow().schema
    assert (again.total, again.limit, again.offset, again.rejected) == (3, 20, 1, rows.rejected)


# ── extras ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "library", "extra"),
    [("to_polars", "polars", "polars"), ("to_pandas", "pandas", "pandas"), ("to_arrow", "pyarrow", "arrow")],
)
def test_a_missing_library_is_named_with_the_command_that_installs_it(
    method: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=re.escape(f'{library} is missing: pip install ".[{extra}]"')):
        getattr(page(sale()), method)()


# ── notebooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_is_a_table_with_its_place_below() -> None:
    rows = Listing([sale()] * 25, total=82319, limit=25, offset=50, rejected=[Rejected(3, {}, "?")], model=AuctionPrice)
    html = rows._repr_html_()
    assert html.count("<tr>") == 1 + 20
    assert '<th style="text-align:right">unit_price</th>' in html
    assert '<td style="text-align:right">2\u202f500</td>' in html
    assert '<td style="text-align:left;white-space:nowrap">2026-08-19 12:00:00</td>' in html
    heads = re.findall("<th.*?>(.*?)</th>", html)
    assert heads[-1] == "additional", "what is long comes last"
    assert html.endswith("<p>20 of 25 rows shown, offset 50, 82319 in all, 1 rejected</p>")


def test_an_empty_page_has_its_head_and_one_of_nothing_known_only_its_place() -> None:
    assert ">item_id</th>" in page(model=AuctionLot)._repr_html_()
    assert page()._repr_html_() == "<p>0 of 0 rows shown, offset 0, 1000 in all</p>"


def test_what_players_wrote_is_escaped() -> None:
    attack = "<script>alert('x')</script>&"
    for shown in (
        page(attack),
        page(sale(additional={"buyer": attack, attack: 1})),
        sale(additional={"buyer": attack}),
        session(attack),
        page(session(attack)),
        lot(item_id=attack),
    ):
        html = shown._repr_html_()
        assert "<script" not in html
        assert "&lt;script&gt;alert(" in html
        assert "&amp;" in html


def test_a_record_is_a_table_of_its_fields_with_its_records_below() -> None:
    html = session("Ворон", "b")._repr_html_()
    assert '<th style="text-align:left">map</th><td style="text-align:left">shock_therapy</td>' in html
    assert "1472603904834535425" in html
    assert "<p>participants</p><table>" in html
    assert "Ворон" in html
    assert html.count("<table>") == 2
    assert "participants" not in html.split("</table>")[0]


def test_lists_of_strings_and_absent_values_read_well_in_a_table() -> None:
    profile = CharacterProfile(uuid="1", name="x", displayed_achievements=["acrobat", "bank"])
    html = profile._repr_html_()
    assert '<td style="text-align:left">acrobat, bank</td>' in html
    assert '<th style="text-align:left">last_login</th><td style="text-align:left"></td>' in html


def test_durations_of_a_profile_read_well() -> None:
    stats = [models.Statistic(id="pla-tim", type=enums.StatType.DURATION, value=1_421_752_000)]
    html = CharacterProfile(uuid="1", name="x", stats=stats)._repr_html_()
    assert ">16 days, 10:55:52</td>" in html
    assert "1421752000" not in html
