"""The base classes of all records."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Self, TypeAlias, cast

import msgspec

from scapi.models._plain import enc_hook, from_plain, plain
from scapi.models._pydantic import Schema, record_schema

__all__ = ["Model", "Record", "Time"]

#: An aware time. Naive times can't be compared with it, so they are repaired to UTC, or the row is rejected.
Time: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]


# Python's garbage collector skips models with `gc=False`. They hold scalars, other such models, or decoded JSON, and a
# tree of frozen records has no cycle. For 100,000 sales it visits 30,000 objects instead of 130,000. A program that
# puts a record into its own `additional` or `value` makes a cycle that stays in memory.


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen, keyword-only record that can be written as JSON and read back.

    It may be a field of a pydantic model, and the result of a FastAPI route.
    """

    def to_dict(self, *, wire: bool = False) -> dict[str, Any]:
        """Return the record as a dict, with the records in it as dicts.

        Args:
            wire: Return everything as the API sends it: its names (`itemId`), and times as text. By default the names
                are those of the attributes, times are aware `datetime`, and enums are their values.
        """
        return cast("dict[str, Any]", plain(self, wire=wire))

    def to_json(self, *, wire: bool = False) -> str:
        """Return the record as JSON, which `from_json` reads.

        Args:
            wire: Whether to use the names of the API (`itemId`) instead of those of the attributes.

        Raises:
            ValueError: The record contains text that can't be written as UTF-8.
        """
        with suppress(UnicodeEncodeError):  # it holds the text, which may be a token
            return msgspec.json.encode(plain(self, wire=wire), enc_hook=enc_hook).decode()
        raise ValueError(f"{type(self).__name__} holds characters that can't be written as UTF-8")

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a record from the JSON that `to_json()` wrote, with either kind of names, or that the API sent.

        Args:
            text: The JSON.

        Raises:
            ValueError: The text isn't such a record.
        """
        try:
            return from_plain(msgspec.json.decode(text), cls)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as cause:
            reason = str(cause)
        # The text may contain a token, so neither the message nor a frame of the traceback shows it.
        text = ""
        raise ValueError(f"text must be what {cls.__name__}.to_json() returned: {reason}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Schema:
        return record_schema(cls, handler)


class Model(Record, frozen=True, kw_only=True, rename="camel"):
    """A record of the API; unknown fields on the wire are ignored."""

    def __repr__(self) -> str:
        from scapi._views import text

        return text.record(self)

    def _repr_html_(self) -> str:
        """Return the HTML table that notebooks show."""
        from scapi._views import html

        return html.record(self)
