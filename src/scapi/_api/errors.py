"""Turn error statuses and unreadable bodies into exceptions."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import msgspec

from scapi import exceptions
from scapi._base.escaping import log
from scapi._base.json_types import is_object
from scapi._http import redirects
from scapi._http.messages import KEPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._http.messages import HttpRequest, HttpResponse

#: What decoding untrusted bytes can raise. Deep nesting raises `RecursionError`.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


BY_STATUS: dict[int, Callable[..., exceptions.RequestError]] = {
    400: exceptions.BadRequestError,
    401: exceptions.UnauthorizedError,
    403: exceptions.ForbiddenError,
    404: exceptions.NotFoundError,
    429: exceptions.RateLimitError,
}


#: Hints for the user, by endpoint and status.
HINTS = {
    ("profile", 404): "there is no character with this name in this region",
    ("friends", 404): "there is no character with this name in this region",
    ("clan_info", 404): "there is no clan with this id in this region",
    ("clan_members", 404): "there is no clan with this id in this region",
    ("clan_members", 401): "only a user with a character in the clan may see its members",
}


def from_response(response: HttpResponse, http_request: HttpRequest) -> exceptions.RequestError:
    """Return the exception for a response with an error status."""
    data = _data(response.body)
    family = {4: exceptions.ClientError, 5: exceptions.ServerError}.get(response.status // 100, exceptions.RequestError)
    kind = BY_STATUS.get(response.status, family)
    return kind(
        _message(data) or _phrase(response, http_request.url),
        status=response.status,
        method=http_request.method,
        url=http_request.url,
        data=data,
        headers=response.headers,
    )


def explain(error: Exception, operation: str) -> None:
    """Add a hint to an error if there is one.

    Args:
        error: The error of a call.
        operation: The endpoint of the call.
    """
    if not isinstance(error, exceptions.RequestError):
        return
    if operation in {"lots", "price_history"} and "item id" in error.message.lower():
        error.hint = (
            'give the id of an item, not its name; DatabaseLookup().id("AK-105") or `scapi items AK-105` finds it'
        )
    else:
        error.hint = HINTS.get((operation, error.status), "")


def _data(body: bytes) -> Any:
    """Decode the body of an error: as JSON if possible, otherwise as text."""
    try:
        return msgspec.json.decode(body)
    except UNREADABLE:
        return body.decode(errors="replace")[:KEPT] or None


def _message(data: Any) -> str:
    """Return the server's message: `title` with `details`, the `error` of an OAuth server, or an HTML page's title."""
    if is_object(data):
        title = data.get("title") or data.get("error_description") or data.get("message") or data.get("error") or ""
        details = data.get("details") or data.get("hint")
        return f"{title}: {_flat(details)}" if details else str(title)
    if isinstance(data, str):
        page = re.search(r"<title[^>]*>(.{1,200}?)</title>", data, re.IGNORECASE | re.DOTALL)
        return " ".join(html.unescape(page[1]).split()) if page else ""
    return ""


def _flat(details: Any) -> str:
    if is_object(details):
        return ", ".join(f"{key}: {value}" for key, value in details.items())
    return str(details)


def _phrase(response: HttpResponse, url: str) -> str:
    """Return a message for an error without one in its body."""
    location = response.headers.get("location")
    if not location or not 300 <= response.status < 400:
        return "the server gave no reason"
    if redirects.target(response, url):
        return f"redirected {redirects.MOST} times, perhaps in a loop; the last redirect was to {location}"
    return f"redirected to {location}, which is not followed: another host must not get the credentials"


def json(body: bytes, model: Any = dict) -> Any:
    """Decode a body as plain JSON. Raises a `DecodeError` that describes any other body."""
    try:
        return msgspec.json.decode(body)
    except UNREADABLE as cause:
        raise undecodable(body, model, guess(body) or str(cause)) from cause


def guess(body: bytes) -> str:
    """Return a likely reason why a body is not JSON, or an empty string."""
    if not body.strip():
        return "the body is empty (the API does this for some characters that exist)"
    if body.lstrip()[:1] == b"<":
        return "the body is an HTML page, probably from a proxy"
    return ""


def undecodable(body: bytes, model: Any, reason: str, key: str = "") -> exceptions.DecodeError:
    """Return a `DecodeError` with the path that msgspec reported, or the path of `key`."""
    name = getattr(model, "__name__", str(model))
    # msgspec's messages end with the path: "... - at `$.lots[3].price`".
    at = re.search(r" - at `(\$.*)`$", reason)
    path = at[1] if at else f"$.{key}" if key else "$"
    return exceptions.DecodeError(f"not a {name}: {log(reason)}", body=body[:KEPT], path=path, model=name)
