"""The results of bulk calls."""

from __future__ import annotations

from typing import Generic, NoReturn, TypeAlias, TypeVar

from scapi.models._base import Record

__all__ = ["BulkError", "BulkResult", "BulkValue"]

T = TypeVar("T")


class BulkValue(Record, Generic[T], frozen=True, kw_only=True):
    """What a bulk call found for one key.

    Attributes:
        key: The key, as it was given.
        region: The region that was asked.
        value: The result.
        error: `None`.
    """

    key: str
    region: str
    value: T
    error: None = None

    def unwrap(self) -> T:
        """Return the value."""
        return self.value


class BulkError(Record, frozen=True, kw_only=True):
    """What a bulk call failed with for one key.

    Attributes:
        key: The key, as it was given.
        region: The region that was asked.
        value: `None`.
        error: The error.
        permanent: Whether asking again is in vain: the server refuses the key for good, or it can't be sent.
    """

    key: str
    region: str
    value: None = None
    error: Exception
    permanent: bool = False

    def unwrap(self) -> NoReturn:
        """Raise the error.

        Raises:
            Exception: The error.
        """
        raise self.error


#: What a bulk call has to say about one key. `if result.error is None:` tells a type checker which of the two it is.
BulkResult: TypeAlias = BulkValue[T] | BulkError
