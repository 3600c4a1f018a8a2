"""Call a function of the program for each response."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi.models import ResponseInfo

logger = logging.getLogger("scapi")


class ResponseHook:
    """A function that is called with each response. Only its first exception is logged, and none reaches the call.

    Args:
        function: A plain function, for async clients too.

    Raises:
        TypeError: It is not callable, or it is a coroutine function.
    """

    def __init__(self, function: Callable[[ResponseInfo], object]) -> None:
        if not callable(function):
            raise TypeError(f"on_response must be a function, not {type(function).__name__}")
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__")):  # noqa: B004, B009  # the method itself is needed
            raise TypeError("on_response must be a plain function, not a coroutine function: its result is not awaited")
        self._function = function
        self._has_failed = False

    def __call__(self, response: ResponseInfo) -> None:
        try:
            self._function(response)
        except Exception:
            if not self._has_failed:
                self._has_failed = True
                logger.exception("on_response failed; it is still called, but further failures are not logged")
