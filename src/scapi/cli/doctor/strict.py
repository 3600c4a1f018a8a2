"""Compare a body with its model exactly. Pure.

The clients tolerate changes of the server; this module reports them. Its texts contain no values of the body except
members of enums, because reports are published.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect

from scapi._base.json_types import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["array", "compare", "kind", "name", "odd", "values"]

#: A name that looks like an identifier. Any other text could be a player's name.
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,40}")
SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

KINDS: dict[type, str] = {bool: "true or false", int: "an integer", float: "a float", str: "text", dict: "an object"}

#: What several values of a kind are called.
SEVERAL = {
    "null": "nulls",
    "true or false": "booleans",
    "an integer": "integers",
    "a float": "floats",
    "text": "texts",
    "an object": "objects",
    "an array": "arrays",
}

#: The type of the decoded JSON for each type of field, and its description. `None` marks types with their own cases in
#: `compare`: they get here only if the value has a wrong type.
EXPECTED: dict[type[inspect.Type], tuple[type | None, str]] = {
    inspect.BoolType: (bool, KINDS[bool]),
    inspect.IntType: (int, KINDS[int]),
    inspect.FloatType: (float, KINDS[float]),
    inspect.StrType: (str, KINDS[str]),
    inspect.StructType: (None, KINDS[dict]),
    inspect.ListType: (None, "an array"),
    inspect.DateTimeType: (None, "a time"),
}


def odd(raw: Any, model: type[msgspec.Struct]) -> Counter[str]:
    """Count the unexpected things in a record, by description.

    Args:
        raw: The decoded JSON of one record.
        model: The model that it should fit.
    """
    return Counter(text.removeprefix(".") for text in compare(raw, _type_of(model), ""))


@cache
def _type_of(model: type[msgspec.Struct]) -> inspect.Type:
    # msgspec takes longer for it than a comparison does.
    return inspect.type_info(model)


def kind(raw: object) -> str:
    """Describe the type of a decoded value."""
    return "null" if raw is None else KINDS.get(type(raw), "an array")


def array(raw: list[Any]) -> str:
    """Describe the types of the values in an array, such as `an array of objects`."""
    if not raw:
        return "an empty array"
    return "an array of " + " and ".join(sorted({SEVERAL[kind(value)] for value in raw}))


def values(raw: Any, key: str) -> Iterator[Any]:
    """Yield every value under a key, at any depth."""
    if is_object(raw):
        yield from (value for name, value in raw.items() if name == key)
        yield from (found for value in raw.values() for found in values(value, key))
    elif is_array(raw):
        yield from (found for value in raw for found in values(value, key))


def compare(raw: Any, type_: inspect.Type, path: str) -> Iterator[str]:
    """Yield every difference between a value and its type."""
    match type_:
        case inspect.UnionType():
            known = next(part for part in type_.types if not isinstance(part, inspect.NoneType))
            yield from [f"{path} is null, not absent"] if raw is None else compare(raw, known, path)
        case inspect.StructType() if is_object(raw):
            yield from _fields(raw, type_, path)
        case inspect.ListType() if is_array(raw):
            for item in raw:
                yield from compare(item, type_.item_type, f"{path}[]")
        case inspect.EnumType():
            # Members that were added at run time aren't in `__members__`. These are the ones to report.
            if raw not in [member.value for member in type_.cls.__members__.values()]:
                yield f"{path} has the unknown value {name(str(raw))}"
        case inspect.DateTimeType() if isinstance(raw, str):
            if not SECONDS.fullmatch(raw):
                problem = f"is spelled like {re.sub('[0-9]', '0', raw)[:40]}" if _time(raw) else "is not a time"
                yield f"{path} {problem}"
        case inspect.AnyType() | inspect.DictType():
            pass
        case _:
            yield from _leaf(raw, type_, path)


def _fields(raw: dict[str, Any], type_: inspect.StructType, path: str) -> Iterator[str]:
    fields = {field.encode_name: field for field in type_.fields}
    yield from (f"{path}.{name(key)} is unknown; it is {kind(raw[key])}" for key in raw if key not in fields)
    for key, field in fields.items():
        if key in raw:
            yield from compare(raw[key], field.type, f"{path}.{key}")
        elif field.required:
            yield f"{path}.{key} is missing"


def _leaf(raw: Any, type_: inspect.Type, path: str) -> Iterator[str]:
    wanted, meant = EXPECTED[type(type_)]
    if type(raw) is not wanted:
        yield f"{path} is {kind(raw)}, not {meant}"


def name(text: str) -> str:
    """Return a name if it looks like an identifier, otherwise a placeholder."""
    return text if IDENTIFIER.fullmatch(text) else "(a name that isn't shown)"


def _time(raw: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\d", raw) is not None
