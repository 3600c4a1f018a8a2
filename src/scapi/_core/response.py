"""What came back: bytes to models, or to the error that says what is wrong with them.

Every decoder tries the fast way first, the whole body into models in one pass. Only where that fails it looks at the
rows one by one, mends what can be mended (nulls, odd spellings of times) and sets aside what can't.
"""

from __future__ import annotations

import html
import logging
import re
from datetime import UTC, datetime
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    NamedTuple,
    TypeGuard,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

import msgspec

from scapi import exceptions, models
from scapi._core import redirect
from scapi.models import Listing, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scapi._core.outgoing import Outgoing

__all__ = ["KEPT", "Reply", "read"]

T = TypeVar("T")

logger = logging.getLogger("scapi")

#: How much of a body an error keeps: enough to see what it is, little enough to log.
KEPT = 2000

#: What decoding bytes from a stranger can raise. Deep nesting ends in a `RecursionError`.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Reply:
    """An answer as it came over the wire, whole. Header names are in lower case.

    It shows nothing of what it holds, which may be our secrets or new ones. No tuple, because some tools look into
    those.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"Reply({self.status}, {len(self.headers)} headers, {len(self.body)} bytes)"


def read(reply: Reply, decode: Callable[[bytes], T], outgoing: Outgoing) -> T:
    """The result of a request, or the documented error, which a `Guard` has to be around."""
    if not 200 <= reply.status < 300:
        raise error(reply, outgoing)
    return decoded(reply, decode, outgoing)


def decoded(reply: Reply, decode: Callable[[bytes], T], outgoing: Outgoing) -> T:
    """What the body of an answer says, or the documented error, which a `Guard` has to be around."""
    try:
        return decode(reply.body)
    except exceptions.DecodeError as failure:
        failure.url, failure.status, failure.body = outgoing.url, reply.status, reply.body[:KEPT]
        raise


# ── rows and records ──────────────────────────────────────────────────────────────────────────────────────────────────


class _Record(Generic[T]):
    """Decodes a body that is one record."""

    def __init__(self, model: type[T]) -> None:
        self._model = model
        self._decoder = msgspec.json.Decoder(model, strict=False)

    def __call__(self, body: bytes) -> T:
        try:
            return self._decoder.decode(body)
        except UNREADABLE:
            raw = json(body, self._model)
        try:
            return convert(raw, self._model)
        except UNREADABLE as cause:
            raise _undecodable(body, self._model, str(cause)) from cause


class _Rows(Generic[T]):
    """Decodes a body that is a list of rows, without a word on how many there are in all."""

    def __init__(self, model: type[T]) -> None:
        self._model = model
        self._decoder = msgspec.json.Decoder(list[model], strict=False)  # type: ignore[valid-type]  # built at run time

    def __call__(self, body: bytes) -> Listing[T]:
        try:
            rows = self._decoder.decode(body)
            return Listing(rows, total=len(rows), limit=len(rows), model=self._model)
        except UNREADABLE:
            raw = json(body, self._model)
        if not is_array(raw):
            raise _undecodable(body, self._model, "expected an array")
        rows, rejected = sift(raw, self._model)
        return Listing(rows, total=len(raw), limit=len(raw), rejected=rejected, model=self._model)


class Page(NamedTuple):
    """Which part of a list was asked for."""

    limit: int
    offset: int


class _Pages(Generic[T]):
    """Decodes a body that is a page: rows under one key, their number in all under another."""

    def __init__(self, model: type[T], *, rows: str, total: str = "total") -> None:
        self._model, self._rows, self._total = model, rows, total
        # The wire calls rows and total something else in every answer.
        names = {"rows": rows, "total": total}
        wire = msgspec.defstruct("Page", [("total", int), ("rows", list[model])], rename=names)  # type: ignore[valid-type]  # built at run time
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(wire, strict=False)

    def __call__(self, body: bytes, *, page: Page) -> Listing[T]:
        try:
            found = self._decoder.decode(body)
        except UNREADABLE:
            return self._sift(body, page)
        return Listing(found.rows, total=found.total, limit=page.limit, offset=page.offset, model=self._model)

    def _sift(self, body: bytes, page: Page) -> Listing[T]:
        raw = json(body, self._model)
        found: Any = raw.get(self._rows) if is_object(raw) else None
        if not is_array(found):
            raise _undecodable(body, self._model, f"expected an object with a list in {self._rows!r}", self._rows)
        try:
            total = msgspec.convert(raw.get(self._total), int, strict=False)
        except msgspec.ValidationError as cause:
            raise _undecodable(body, self._model, str(cause), self._total) from cause
        rows, rejected = sift(found, self._model)
        return Listing(rows, total=total, limit=page.limit, offset=page.offset, rejected=rejected, model=self._model)


def sift(raw: list[Any], model: type[T]) -> tuple[list[T], list[Rejected]]:
    """The rows that can be read, and those that can't, with one warning for all of these."""
    rows: list[T] = []
    rejected: list[Rejected] = []
    for index, row in enumerate(raw):
        try:
            rows.append(convert(row, model))
        except UNREADABLE as reason:
            rejected.append(Rejected(index, row, str(reason)))
    if rejected:
        first = rejected[0]
        name = model.__name__
        logger.warning("%d of %d %s rows rejected; row %d: %s", len(rejected), len(raw), name, first[0], first[2])
    return rows, rejected


def convert(raw: Any, model: type[T]) -> T:
    """One decoded row as a model, mended where it has to be."""
    try:
        return msgspec.convert(raw, model, strict=False)
    except msgspec.ValidationError:
        return msgspec.convert(_mend(raw, model), model, strict=False)


def record(body: bytes, raw: Any, model: type[T]) -> T:
    """A decoded body as a model, or a `DecodeError` that says why it is none."""
    try:
        return convert(raw, model)
    except UNREADABLE as cause:
        raise _undecodable(body, model, str(cause)) from cause


def _mend(raw: Any, kind: Any) -> Any:
    """The row without its nulls and with its times spelled as msgspec reads them; wrong types stay as they are."""
    kind = plain_type(kind)
    if is_object(raw) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        return {key: _mend(raw[key], known[key]) for key in known if raw.get(key) is not None}
    if is_array(raw) and get_origin(kind) is list:
        return [_mend(item, get_args(kind)[0]) for item in raw]
    if isinstance(raw, str) and kind is datetime:
        return _time(raw)
    return raw


def is_object(raw: object) -> TypeGuard[dict[str, Any]]:
    """Whether decoded JSON is an object."""
    return isinstance(raw, dict)


def is_array(raw: object) -> TypeGuard[list[Any]]:
    """Whether decoded JSON is an array."""
    return isinstance(raw, list)


def plain_type(kind: Any) -> Any:
    """The type within `Annotated[...]` and `... | None`."""
    if get_origin(kind) is Annotated:
        return plain_type(get_args(kind)[0])
    if get_origin(kind) in {UnionType, Union}:
        return plain_type(next(part for part in get_args(kind) if part is not type(None)))
    return kind


def _time(raw: str) -> Any:
    """A time in a spelling that msgspec refuses: no seconds, a short offset, a date alone. No offset means UTC."""
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        return raw
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# ── errors ────────────────────────────────────────────────────────────────────────────────────────────────────────────

BY_STATUS: dict[int, Callable[..., exceptions.RequestError]] = {
    400: exceptions.BadRequestError,
    401: exceptions.UnauthorizedError,
    403: exceptions.ForbiddenError,
    404: exceptions.NotFoundError,
    429: exceptions.RateLimitError,
}


def error(reply: Reply, outgoing: Outgoing) -> exceptions.RequestError:
    """The error that an answer with an error status stands for."""
    data = _data(reply.body)
    family = {4: exceptions.ClientError, 5: exceptions.ServerError}.get(reply.status // 100, exceptions.RequestError)
    kind = BY_STATUS.get(reply.status, family)
    return kind(
        _message(data) or _phrase(reply, outgoing.url),
        status=reply.status,
        method=outgoing.method,
        url=outgoing.url,
        data=data,
        headers=reply.headers,
    )


def _data(body: bytes) -> Any:
    """The body of an error, decoded as far as it goes."""
    try:
        return msgspec.json.decode(body)
    except UNREADABLE:
        return body.decode(errors="replace")[:KEPT] or None


def _message(data: Any) -> str:
    """What the server said: `title` with its `details`, or the `error` of an OAuth server, or a page's title."""
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


def _phrase(reply: Reply, url: str) -> str:
    """What to say of an error whose body says nothing."""
    location = reply.headers.get("location")
    if not location or not 300 <= reply.status < 400:
        return "the server gave no reason"
    if redirect.target(reply, url):
        return f"redirected {redirect.MOST} times, perhaps in a circle, at last to {location}"
    return f"redirected to {location}, which is not followed: another host must not get the credentials"


def json(body: bytes, model: Any = dict) -> Any:
    """The body as plain JSON, or a `DecodeError` that says what it is instead."""
    try:
        return msgspec.json.decode(body)
    except UNREADABLE as cause:
        raise _undecodable(body, model, _guess(body) or str(cause)) from cause


def _guess(body: bytes) -> str:
    if not body.strip():
        return "the body is empty (the API does this for some characters that exist)"
    if body.lstrip()[:1] == b"<":
        return "the body is an HTML page, probably of a proxy in between"
    return ""


def _undecodable(body: bytes, model: Any, reason: str, key: str = "") -> exceptions.DecodeError:
    name = getattr(model, "__name__", str(model))
    # msgspec ends its messages with where it was: "... - at `$.lots[3].price`".
    at = re.search(r" - at `(\$.*)`$", reason)
    path = at[1] if at else f"$.{key}" if key else "$"
    return exceptions.DecodeError(f"not a {name}: {reason}", body=body[:KEPT], path=path, model=name)


REGIONS = _Rows(models.RegionInfo)
EMISSION = _Record(models.EmissionState)
PROFILE = _Record(models.CharacterProfile)
CLANS = _Pages(models.ClanInfo, rows="data", total="totalClans")
CLAN = _Record(models.ClanInfo)
MEMBERS = _Rows(models.ClanMember)
CHARACTERS = _Rows(models.Character)
FRIENDS = _Rows(str)
LOTS = _Pages(models.AuctionLot, rows="lots")
PRICES = _Pages(models.AuctionPrice, rows="prices")
SESSIONS = _Pages(models.OperationSession, rows="sessions")
USER = _Record(models.User)
