"""Keeps the secrets of a request out of the exceptions that it raises."""

from __future__ import annotations

import sys
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from scapi._base.json_types import is_array, is_object
from scapi._http.redaction import Redactor, mask_all
from scapi._http.tracebacks import strip
from scapi.exceptions import DecodeError, RequestError, ScApiException

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from scapi._http.messages import HttpRequest


class Guard:
    """Lets no secret of a request leave with an exception: a `with` around sending it and reading the answer.

    What the exception and all that led to it keep is masked in place. Their tracebacks are dropped, because the frames
    held headers and bodies. An error that nobody expects says in a note which way it took.

    Args:
        http_request: The request.
    """

    __slots__ = ("_http_request", "_outer")

    def __init__(self, http_request: HttpRequest) -> None:
        self._http_request = http_request
        self._outer: BaseException | None = None

    def __enter__(self) -> None:
        self._outer = sys.exception()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        if isinstance(error, Exception) and not (isinstance(error, ScApiException) or hasattr(error, "__notes__")):
            error.add_note(_route(trace))
        for link in strip(error, self._outer):
            if isinstance(link, RequestError | DecodeError) and link.url != self._http_request.url:
                # The query of a redirect may be what opens the door there, as to the archive of a private repository.
                link.url = link.url.partition("?")[0]
            mask_all(link, self._http_request.redactor())
            if self._http_request.form:
                _forget_tokens(link)


def _route(trace: TracebackType | None) -> str:
    """The way that an unexpected error took, for whoever has to find it, without what the frames held."""
    frames = [f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in extract_tb(trace)]
    return f"raised in {', from '.join(reversed(frames))}"


def _forget_tokens(error: BaseException) -> None:
    """Drop what an answer to a form may hold: tokens that nobody has yet."""
    if isinstance(error, DecodeError):
        # Half an answer may be half a token.
        error.body = b""
    if isinstance(error, RequestError):
        if isinstance(error.data, str):
            error.data = None
        mask_all(error, Redactor(*_tokens(error.data)))


def _tokens(data: Any) -> Iterator[str]:
    """The tokens in decoded JSON, by the names that they go by."""
    waiting = [data]
    while waiting:
        within = waiting.pop()
        if is_object(within):
            for key, item in within.items():
                if isinstance(item, str) and key.lower().endswith("token"):
                    yield item
                waiting.append(item)
        elif is_array(within):
            waiting += within
