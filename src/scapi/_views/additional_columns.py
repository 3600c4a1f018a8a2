"""`additional` as columns: one for each known key, and one for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapi._base.formatting import INTEGERS, MILLISECONDS
from scapi._base.json_types import is_array
from scapi._views.columns import Filled, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


#: The known keys of `additional`, and the kinds of their columns.
ADDITIONAL: Mapping[str, Kind] = {
    "qlt": "int",
    "ptn": "int",
    "upgrade_bonus": "float",
    "bonus_properties": "strings",
    "stats_random": "float",
    "ndmg": "float",
    "md_k": "float",
    "it_transf_count": "int",
    "spawn_time": "millis",
    "buyer": "string",
}


def flattened(rows: list[Any]) -> list[Filled]:
    """Make a column for each known key, and one for the rest."""
    details = [row.additional for row in rows]
    columns = [
        Filled(key, kind, _fitted(kind, [found.get(key) for found in details])) for key, kind in ADDITIONAL.items()
    ]
    in_columns = sum(len(column.values) - column.values.count(None) for column in columns)
    # If every value has a column, there is no rest to search for in each row.
    remains = in_columns < sum(map(len, details))
    return [*columns, Filled("additional", "json", list(map(_rest, details)) if remains else [None] * len(rows))]


def _fitted(kind: Kind, raws: list[Any]) -> list[Any]:
    """Keep the values that fit the kind; `None` replaces the others."""
    exact, least, most = USUAL[kind]
    if {exact, NOTHING}.issuperset(map(type, raws)):
        # Values of one type are checked together.
        values = [raw for raw in raws if raw is not None] if least < most else []
        if not values or (min(values) >= least and max(values) <= most):
            return raws
    fit = FITTING[kind]
    return [None if raw is None else fit(raw) for raw in raws]


def _rest(details: dict[str, Any]) -> dict[str, Any] | None:
    """Return the items without a column of their own."""
    unfit = {key for key, kind in ADDITIONAL.items() if key in details and FITTING[kind](details[key]) is None}
    return {key: value for key, value in details.items() if key not in ADDITIONAL or key in unfit} or None


def _float(value: Any) -> float | None:
    # Beyond 2**53 not every integer is a float.
    exact = type(value) is float or (type(value) is int and abs(value) <= 2**53)
    return float(value) if exact else None


def _int(value: Any) -> int | None:
    # 3.0 counts as whole; `bool` doesn't count as a number.
    whole = int(value) if type(value) is float and value.is_integer() else value
    return whole if type(whole) is int and whole in INTEGERS else None


def _millis(value: Any) -> int | None:
    # The server writes times in `additional` as milliseconds.
    whole = _int(value)
    return whole if whole is not None and whole in MILLISECONDS else None


#: Converts a value for its column. `None` means that it is of another kind and stays in the JSON.
FITTING: Mapping[Kind, Callable[[Any], Any]] = {
    "string": lambda value: value if isinstance(value, str) else None,
    "strings": lambda value: value if is_array(value) and all(isinstance(item, str) for item in value) else None,
    "float": _float,
    "int": _int,
    "millis": _millis,
}

NOTHING = type(None)
#: The usual type of a kind's values, with the bounds within which they fit. Equal bounds mean no bounds.
USUAL: Mapping[Kind, tuple[type, int, int]] = {
    "string": (str, 0, 0),
    "strings": (NOTHING, 0, 0),
    "float": (float, 0, 0),
    "int": (int, INTEGERS.start, INTEGERS.stop - 1),
    "millis": (int, MILLISECONDS.start, MILLISECONDS.stop - 1),
}
