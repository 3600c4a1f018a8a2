"""Many calls as one: what was asked for, checked, and what becomes of errors."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sized
from copy import copy
from typing import TYPE_CHECKING, Any, Literal

from scapi._base import validation
from scapi.exceptions import ScApiException
from scapi.models import BulkResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


#: As many calls as a client has connections.
MAX_CONCURRENCY = 64

#: What a key can fail with: its call, or the key itself.
FAILURES = (ScApiException, ValueError, TypeError)


class Plan:
    """The options of a bulk call.

    Args:
        keys: What is asked for.
        check: Raises for a key that can't be asked for.
        concurrency: How many calls may be under way at once, 1 to 64.
        on_error: `"raise"` or `"yield"`.
        progress: Called with how many keys are done, and how many there are.

    Raises:
        TypeError: `progress` can't be called, or is a coroutine function.
        ValueError: Another argument is out of its range.
    """

    def __init__(
        self,
        keys: Iterable[str],
        check: Callable[[str], object],
        concurrency: int,
        on_error: Literal["raise", "yield"],
        progress: Callable[[int, int | None], object] | None,
    ) -> None:
        self.keys = keys
        self.concurrency = validation.integer("concurrency", concurrency, 1, MAX_CONCURRENCY)
        if on_error not in ("raise", "yield"):  # it may be anything, and not hashable
            raise validation.refuse("on_error", on_error, "'raise' or 'yield'")
        if progress is not None and not callable(progress):
            raise TypeError(f"progress must be callable, not {progress!r}")
        if inspect.iscoroutinefunction(progress):
            raise TypeError(f"progress must be a plain function, not the coroutine function {progress!r}")
        self._raises = on_error == "raise"
        self._progress = progress
        self._total = len(keys) if isinstance(keys, Sized) else None
        self._done = 0
        # One bad key ends it all, so it had better do so before anything is sent. A generator can't be looked through.
        if self._raises and isinstance(keys, Collection):
            for key in keys:
                check(key)

    def failed(self, key: str, error: Exception) -> BulkResult[Any]:
        """The result of a key that failed; or the error raised, if that was asked for."""
        if getattr(error, "__notes__", None):
            # Calls that wait for the same renewal share its error: this one is another key's already.
            error = copy(error).with_traceback(error.__traceback__)
            error.__notes__ = []
        error.add_note(f"key: {key!r}")
        if self._raises:
            raise error
        return BulkResult(key=key, error=error)

    def check_errors(self, errors: list[BulkResult[Any]] | None) -> None:
        """Refuse to make one frame of all results where nobody would be told which of them are errors.

        Raises:
            TypeError: `errors` is no list.
            ValueError: It is missing where errors are handed over, or given where they are raised.
        """
        if errors is not None and not isinstance(errors, list):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
            raise TypeError(f"errors must be a list, not {type(errors).__name__}")
        if self._raises and errors is not None:
            raise ValueError("errors must be left out with on_error='raise', which raises the first one")
        if not self._raises and errors is None:
            raise ValueError("errors must be a list with on_error='yield': the results with an error are added to it")

    def tell(self) -> None:
        """Tell that one more key is done."""
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)


def check_keys(name: str, keys: Iterable[str]) -> Iterable[str]:
    """The keys, or a `TypeError`: a string is iterable too, but nobody means its characters."""
    if isinstance(keys, str | bytes) or not hasattr(keys, "__iter__"):
        raise TypeError(f"{name} must be an iterable of strings, not {keys!r}")
    return keys
