"""Bulk calls: check the arguments, and handle the errors of single calls."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Sized
from copy import copy
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

from scapi._base import validation
from scapi._lists.failures import is_permanent
from scapi.enums import Region
from scapi.models import BulkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scapi.models import BulkResult, Listing


T = TypeVar("T")

#: The number of connections of a client.
MAX_CONCURRENCY = 64


class Target(NamedTuple):
    """One call of a bulk call: a key in a region."""

    region: str
    key: str


class Step(NamedTuple, Generic[T]):
    """The result of one page of a walk.

    Attributes:
        target: The region and key of the walk.
        result: The new rows of the page, or the error that ended the walk.
        state: The state of the walk after the page, if it was requested; `None` after an error.
    """

    target: Target
    result: BulkResult[Listing[T]]
    state: Any = None


class Plan:
    """The options of a bulk call.

    Args:
        keys: The keys to fetch.
        regions: The regions to fetch each key from.
        check: Raises an error for an invalid key.
        concurrency: The maximum number of concurrent calls, 1 to 64.
        on_error: `"raise"` or `"yield"`.
        progress: Called with the number of finished calls, and the number of all calls or `None`.

    Raises:
        TypeError: `progress` can't be called, or is a coroutine function.
        ValueError: Another argument is out of its range.
    """

    def __init__(
        self,
        keys: Iterable[str],
        regions: tuple[str, ...],
        check: Callable[[str], object],
        *,
        concurrency: int,
        on_error: Literal["raise", "yield"],
        progress: Callable[[int, int | None], object] | None,
    ) -> None:
        self.concurrency = validation.integer("concurrency", concurrency, 1, MAX_CONCURRENCY)
        if on_error not in ("raise", "yield"):  # may be unhashable, so no set
            raise validation.refuse("on_error", on_error, "'raise' or 'yield'")
        if progress is not None and not callable(progress):
            raise TypeError(f"progress must be callable, not {progress!r}")
        if inspect.iscoroutinefunction(progress):
            raise TypeError(f"progress must be a plain function, not the coroutine function {progress!r}")
        self._keys = keys
        self._regions = regions
        self._raises = on_error == "raise"
        self._progress = progress
        self._total = len(keys) * len(regions) if isinstance(keys, Sized) else None
        self._done = 0
        # One bad key fails the whole call, so check before anything is sent. A generator can't be read in advance.
        if self._raises and isinstance(keys, Collection):
            for key in keys:
                check(key)

    def targets(self) -> Iterator[Target]:
        """Return an iterator over each key in each region. It reads the keys one by one."""
        return (Target(region, key) for key in self._keys for region in self._regions)

    def failed(self, target: Target, error: Exception) -> BulkError:
        """Return the result of a failed call, or raise its error with `on_error="raise"`."""
        if getattr(error, "__notes__", None):
            # Calls that wait for the same token renewal share its error, so this one has the notes of another key.
            error = copy(error).with_traceback(error.__traceback__)
            error.__notes__ = []
        error.add_note(f"key: {target.key!r}")
        if len(self._regions) > 1:
            error.add_note(f"region: {target.region}")
        if self._raises:
            raise error
        return BulkError(key=target.key, region=target.region, error=error, permanent=is_permanent(error))

    def check_errors(self, errors: list[BulkResult[Any]] | None) -> None:
        """Check the `errors` argument of a bulk call that returns one frame. A frame has no place for errors.

        Raises:
            TypeError: `errors` isn't a list.
            ValueError: `errors` is missing with `on_error="yield"`, or given with `on_error="raise"`.
        """
        if errors is not None and not isinstance(errors, list):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
            raise TypeError(f"errors must be a list, not {type(errors).__name__}")
        if self._raises and errors is not None:
            raise ValueError("errors must be left out with on_error='raise', which raises the first one")
        if not self._raises and errors is None:
            raise ValueError("errors must be a list with on_error='yield': the results with an error are added to it")

    def count(self) -> None:
        """Count a finished call, and report the progress."""
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)


def check_keys(name: str, keys: Iterable[str]) -> Iterable[str]:
    """Return the keys, or raise a `TypeError` if they are a single string or not iterable."""
    if isinstance(keys, str | bytes) or not hasattr(keys, "__iter__"):
        raise TypeError(f"{name} must be an iterable of strings, not {keys!r}")
    return keys


def check_regions(region: Region | str | Iterable[Region | str] | None) -> tuple[Region, ...] | None:
    """Return the regions of a bulk call without duplicates, or `None` for `None`.

    Raises:
        ValueError: One of them isn't a region, or the list is empty.
    """
    if region is None:
        return None
    if not isinstance(region, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        raise validation.refuse("region", region, "a region, or several in a list")
    given = [region] if isinstance(region, str) else list(region)
    if not given:
        raise validation.refuse("region", region, "a region, or several in a list")
    return tuple(dict.fromkeys(validation.choice("region", one, Region) for one in given))
