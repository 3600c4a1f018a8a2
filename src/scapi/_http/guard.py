"""Keep the secrets of a request out of its exceptions."""

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
    """Removes the secrets of a request from exceptions: use it in a `with` around sending and reading the response.

    The attributes of the exception and its causes are masked in place. Their tracebacks are dropped, because the frames
    contain headers and bodies. An unexpected error gets a note that says where it was raised.

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
                # The query of a redirect may contain credentials, for example for the archive of a private repository.
                link.url = link.url.partition("?")[0]
            mask_all(link, self._http_request.redactor())
            if self._http_request.form:
                _forget_tokens(link)


def _route(trace: TracebackType | None) -> str:
    """Return the call stack of an unexpected error, without local variables."""
    frames = [f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in extract_tb(trace)]
    return f"raised in {', from '.join(reversed(frames))}"


def _forget_tokens(error: BaseException) -> None:
    """Remove new tokens that the response to a form may contain."""
    if isinstance(error, DecodeError):
        # An undecodable body may still contain a token.
        error.body = b""
    if isinstance(error, RequestError):
        if isinstance(error.data, str):
            error.data = None
        mask_all(error, Redactor(*_tokens(error.data)))


def _tokens(data: Any) -> Iterator[str]:
    """Yield the tokens in decoded JSON: strings with a key that ends in "token"."""
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
