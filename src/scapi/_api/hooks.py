"""Functions of the program's that hear of each answer."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi.models import ResponseInfo

logger = logging.getLogger("scapi")


class ResponseHook:
    """A function that gets each answer. What it raises is logged once, and never reaches the call.

    Args:
        function: A plain function, in both worlds.

    Raises:
        TypeError: It can't be called, or has to be awaited.
    """

    def __init__(self, function: Callable[[ResponseInfo], object]) -> None:
        if not callable(function):
            raise TypeError(f"on_response must be a function, not {type(function).__name__}")
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__")):  # noqa: B004, B009  # the method itself is asked for
            raise TypeError(
                "on_response must be a plain function: it is called within the call, which doesn't wait for it"
            )
        self._function = function
        self._has_failed = False

    def __call__(self, response: ResponseInfo) -> None:
        try:
            self._function(response)
        except Exception:
            if not self._has_failed:
                self._has_failed = True
                logger.exception("on_response failed; it goes on being called, and is not logged again")
