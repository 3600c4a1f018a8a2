"""The results of bulk calls."""

from __future__ import annotations

from typing import Generic, NoReturn, TypeAlias, TypeVar

from scapi.models._base import Record

__all__ = ["BulkError", "BulkResult", "BulkValue"]

T = TypeVar("T")


class BulkValue(Record, Generic[T], frozen=True, kw_only=True):
    """The result of a bulk call for one key.

    Attributes:
        key: The key, as it was passed.
        region: The region of the request.
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
    """The failure of a bulk call for one key.

    Attributes:
        key: The key, as it was passed.
        region: The region of the request.
        value: `None`.
        error: The error.
        permanent: Whether another request would fail too: the server refuses the key permanently, or it can't be sent.
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


#: One result of a bulk call. `if result.error is None:` tells a type checker which of the two it is.
BulkResult: TypeAlias = BulkValue[T] | BulkError
