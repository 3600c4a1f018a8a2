"""The results of bulk calls."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

from scapi.models._base import Record

__all__ = ["BulkResult"]

T = TypeVar("T")


class BulkResult(Record, Generic[T], frozen=True, kw_only=True):
    """The result of a bulk call for one key: a value or an error.

    Attributes:
        key: The key, as it was given.
        value: The result; `None` where there is an error.
        error: The error; `None` where there is a value.
    """

    key: str
    value: T | None = None
    error: Exception | None = None

    def unwrap(self) -> T:
        """Return the value, or raise the error.

        Raises:
            Exception: The error, where there is one.
        """
        if self.error is not None:
            raise self.error
        return cast("T", self.value)
