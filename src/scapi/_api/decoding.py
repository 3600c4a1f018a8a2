"""Decode response bodies into models, or raise the error that says what is wrong with them.

Every decoder first tries to decode the whole body in one pass. If that fails, `drift` reads rows that all differ from
the model in the same way, and `lenient` reads any others. Large bodies are read in pieces, so that an event loop is
never blocked for long.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator
from contextlib import suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar, cast, get_args, get_origin

import msgspec

from scapi import exceptions, models
from scapi._api import drift, errors, lenient, missing_fields
from scapi._api.errors import UNREADABLE, guess, json, undecodable
from scapi._api.lenient import Losses, Unreadable
from scapi._base.escaping import log
from scapi._base.json_types import is_array, is_object
from scapi._http.messages import KEPT, HttpResponse
from scapi.models import Listing, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scapi._http.messages import HttpRequest

    Buffer: TypeAlias = bytes | msgspec.Raw


T = TypeVar("T")

logger = logging.getLogger("scapi")


def read(response: HttpResponse, decode: Callable[[bytes], T], http_request: HttpRequest) -> T:
    """Return the result of a request, or raise the documented error. Call it inside a `Guard`."""
    if not 200 <= response.status < 300:
        raise errors.from_response(response, http_request)
    return decoded(response, decode, http_request)


def decoded(response: HttpResponse, decode: Callable[[bytes], T], http_request: HttpRequest) -> T:
    """Decode the body of a response, or raise the documented error. Call it inside a `Guard`."""
    try:
        return decode(response.body)
    except exceptions.DecodeError as failure:
        _add_response(failure, response, http_request)
        raise


def _add_response(failure: exceptions.DecodeError, response: HttpResponse, http_request: HttpRequest) -> None:
    """Add the response to an error."""
    failure.url, failure.status, failure.body = http_request.url, response.status, response.body[:KEPT]


# ── rows and records ──────────────────────────────────────────────────────────────────────────────────────────────────


class _Record(Generic[T]):
    """Decodes a body that is one record."""

    def __init__(self, model: type[T]) -> None:
        self._model = model
        self._decoder = msgspec.json.Decoder(model, strict=False)

    def __call__(self, body: bytes) -> T:
        try:
            found = self._decoder.decode(body)
        except UNREADABLE:
            return record(body, json(body, self._model), self._model)
        _warn(self._model, [found])
        return found


class _Rows(Generic[T]):
    """Decodes a body that is a list of rows without a total."""

    def __init__(self, model: type[T]) -> None:
        self._model = model
        self._decoder = msgspec.json.Decoder(list[model], strict=False)  # type: ignore[valid-type]  # built at run time

    def __call__(self, body: bytes) -> Listing[T]:
        losses = Losses()
        rows, rejected = _rows(body, self._model, self._decoder, losses)
        _warn(self._model, rows, rejected, losses)
        return self._listing(rows, rejected)

    def pieces(self, body: bytes) -> Pieces[Listing[T]]:
        return self._listing(*(yield from _rows_in_pieces(body, self._model, self._decoder)))

    def _listing(self, rows: list[T], rejected: list[Rejected]) -> Listing[T]:
        total = len(rows) + len(rejected)
        return Listing(rows, total=total, limit=total, rejected=rejected, model=self._model)


class Page(NamedTuple):
    """The requested part of a list."""

    limit: int
    offset: int


class Pages(Generic[T]):
    """Decodes a body that is a page, with rows under one key and their total under another."""

    def __init__(self, model: type[T], *, rows: str, total: str = "total") -> None:
        self._model, self._rows, self._total = model, rows, total
        self._decoder = msgspec.json.Decoder(self._wire(model), strict=False)
        self._rows_decoder = msgspec.json.Decoder(list[model], strict=False)  # type: ignore[valid-type]  # built at run time

    def __call__(self, body: bytes, *, page: Page) -> Listing[T]:
        losses, rejected = Losses(), list[Rejected]()
        try:
            found = self._decoder.decode(body)
            rows, total = found.rows, found.total
        except UNREADABLE:
            drifted = drift.decode_loosely(body, self._model, self._wire)
            if drifted is not None:
                found = drift.convert_rows(drifted.document.rows, self._model, drifted.odd, losses)
                total = drifted.document.total
            else:
                raw = json(body, self._model)
                total = self._checked(body, raw, is_array)
                found = lenient.read(raw[self._rows], self._model, losses, self._model.__name__)
            rows, rejected = _split(found, lambda: json(body)[self._rows])
        _warn(self._model, rows, rejected, losses)
        return self._listing(rows, rejected, total, page)

    def pieces(self, body: bytes, *, page: Page) -> Pieces[Listing[T]]:
        raw = _scan(body, self._model, dict[str, msgspec.Raw])
        yield
        total = self._checked(body, raw, _is_array_unread)
        found = yield from _rows_in_pieces(raw[self._rows], self._model, self._rows_decoder)
        return self._listing(*found, total, page)

    def _wire(self, row: Any) -> Any:
        return _page_of(row, self._rows, self._total)

    def _checked(self, body: bytes, raw: Any, holds_rows: Callable[[Any], bool]) -> int:
        """Check that the body is a page and return its total."""
        if not is_object(raw) or not holds_rows(raw.get(self._rows)):
            raise undecodable(body, self._model, f"expected an object with a list in {self._rows!r}", self._rows)
        total = raw.get(self._total)
        try:
            total = msgspec.json.decode(total) if isinstance(total, msgspec.Raw) else total
            return msgspec.convert(total, int, strict=False)
        except msgspec.ValidationError as cause:
            raise undecodable(body, self._model, str(cause), self._total) from cause

    def _listing(self, rows: list[T], rejected: list[Rejected], total: int, page: Page) -> Listing[T]:
        return Listing(rows, total=total, limit=page.limit, offset=page.offset, rejected=rejected, model=self._model)


@lru_cache(maxsize=256)
def _page_of(row: Any, rows: str, total: str) -> Any:
    """Return the type of a page. Each endpoint has its own keys for rows and total."""
    names = {"rows": rows, "total": total}
    return msgspec.defstruct("Page", [("total", int), ("rows", list[row])], rename=names)


def split_rejected(raw: list[Any], model: type[T]) -> tuple[list[T], list[Rejected]]:
    """Split rows into readable and rejected ones. Logs one warning for all losses."""
    losses = Losses()
    rows, rejected = _split(_read_each(raw, model, losses), lambda: raw)
    _warn(model, rows, rejected, losses)
    return rows, rejected


def read_each(raw: list[Any], model: type[T]) -> list[T | Unreadable]:
    """Read each row. Logs one warning for the fields that readable rows lack."""
    losses = Losses()
    found = _read_each(raw, model, losses)
    _warn(model, [row for row in found if type(row) is not Unreadable], (), losses)
    return found


def _read_each(raw: list[Any], model: type[T], losses: Losses) -> list[Any]:
    try:
        return msgspec.convert(raw, list[model], strict=False)  # type: ignore[valid-type]  # built at run time
    except UNREADABLE:
        return lenient.read(_copy(raw), model, losses, model.__name__)


def _rows(
    body: bytes, model: type[T], decoder: msgspec.json.Decoder[list[T]], losses: Losses
) -> tuple[list[T], list[Rejected]]:
    """Read a body that is a list. Returns the readable rows and the rejected ones."""
    with suppress(*UNREADABLE):
        return decoder.decode(body), []
    drifted = drift.decode_loosely(body, model, lambda row: list[row])  # type: ignore[valid-type]  # built at run time
    if drifted is not None:
        found = drift.convert_rows(drifted.document, model, drifted.odd, losses)
    else:
        raw = json(body, model)
        if not is_array(raw):
            raise undecodable(body, model, "expected an array")
        found = lenient.read(raw, model, losses, model.__name__)
    return _split(found, lambda: json(body))


def _split(found: list[Any], sent: Callable[[], list[Any]]) -> tuple[list[Any], list[Rejected]]:
    """Split rows into readable and rejected ones. `sent` returns the rows as the server sent them."""
    rows = [row for row in found if type(row) is not Unreadable]
    if len(rows) == len(found):
        return rows, []
    pairs = enumerate(zip(sent(), found, strict=True))
    return rows, [Rejected(n, row, str(reason)) for n, (row, reason) in pairs if type(reason) is Unreadable]


def _copy(raw: Any) -> Any:
    """Return a copy of decoded JSON, because `lenient.read` changes its input."""
    return msgspec.to_builtins(raw)


def _warn(model: type, rows: list[Any], rejected: Sequence[Rejected] = (), losses: Losses | None = None) -> None:
    """Log one warning for rejected rows and for fields that the others lack, if there are any."""
    losses = Losses() if losses is None else losses
    missing_fields.note(rows, model, losses)
    if rejected:
        lost = f"{len(rejected)} of {len(rows) + len(rejected)} {model.__name__} rows rejected"
        reasons = [f"{lost}; row {rejected[0].index}: {rejected[0].reason}"]
    elif losses:
        reasons = [f"{model.__name__} read in part"]
    else:
        return
    reasons += [f"{loss.values} without {where}: {loss.reason}" for where, loss in losses.items()]
    logger.warning("%s", log("; ".join(reasons)))


def record(body: bytes, raw: Any, model: type[T]) -> T:
    """Convert a decoded body to a model. Raises a `DecodeError` if it doesn't fit."""
    try:
        return convert(raw, model)
    except UNREADABLE as cause:
        raise undecodable(body, model, str(cause)) from cause


def convert(raw: Any, model: type[T]) -> T:
    """Convert one decoded row to a model. Repairs fields if necessary."""
    losses, name = Losses(), getattr(model, "__name__", str(model))
    try:
        found = msgspec.convert(raw, model, strict=False)
    except msgspec.ValidationError:
        (read,) = lenient.read([_copy(raw)], model, losses, name)
        if isinstance(read, Unreadable):
            raise msgspec.ValidationError(str(read)) from None
        found = cast("T", read)
    _warn(model, [found], (), losses)
    return found


def decoder_for(model: Any) -> Callable[[bytes], Any]:
    """Return a decoder for the caller's model, or for plain JSON if `model` is `None`.

    Raises:
        TypeError: The model is neither a `msgspec.Struct` nor a list of one.
    """
    row = get_args(model)[0] if get_origin(model) is list else model
    if model is None:
        return json
    if not (isinstance(row, type) and issubclass(row, msgspec.Struct)):
        raise TypeError(f"model must be a msgspec.Struct, list[...] of one, or None, not {model!r}")
    return _Record(row) if row is model else _Rows(row)


# ── large bodies, in pieces ───────────────────────────────────────────────────────────────────────────────────────────

#: A generator that yields between pieces of work and returns the result.
Pieces: TypeAlias = Generator[None, None, T]

#: Bodies of this size or more take long to decode, in bytes. A page with 5,000 participants is this large.
LARGE = 1 << 20

#: How much is read between two yields, in bytes. This takes a few milliseconds.
PIECE = 1 << 18


def in_pieces(response: HttpResponse, decode: Callable[[bytes], T], http_request: HttpRequest) -> Pieces[T]:
    """Do the same as `read`, but yield between pieces of the body. Worth it from `LARGE` on."""
    pieces = _pieces_of(decode)
    if pieces is None or not 200 <= response.status < 300:
        return read(response, decode, http_request)
    try:
        return (yield from pieces(response.body))
    except exceptions.DecodeError as failure:
        _add_response(failure, response, http_request)
        raise


def _pieces_of(decode: Callable[[bytes], T]) -> Callable[[bytes], Pieces[T]] | None:
    """Return the version of a decoder that works in pieces, if it has one."""
    if isinstance(decode, partial):
        bound = cast("partial[T]", decode)
        pieces = getattr(bound.func, "pieces", None)
        return pieces and partial(pieces, **bound.keywords)
    return json_pieces if decode is json else getattr(decode, "pieces", None)


def _rows_in_pieces(
    body: Buffer, model: type[T], decoder: msgspec.json.Decoder[list[T]]
) -> Pieces[tuple[list[T], list[Rejected]]]:
    rows, rejected, losses = list[T](), list[Rejected](), Losses()
    for piece in (yield from _cut(body, model)):
        before = len(rows) + len(rejected)
        some = _rows(piece, model, decoder, losses)
        rows += some[0]
        rejected += [row._replace(index=before + row.index) for row in some[1]]
        yield
    _warn(model, rows, rejected, losses)
    return rows, rejected


def json_pieces(body: bytes) -> Pieces[Any]:
    """Do the same as `json`, but yield between pieces of the body's lists."""
    if _is_array_unread(body):
        return (yield from _list_in_pieces(body))
    if not re.match(rb"\s*\{", body):
        return json(body)
    raw = _scan(body, dict, dict[str, msgspec.Raw])
    yield
    found: dict[str, Any] = {}
    for key, value in raw.items():
        found[key] = (yield from _list_in_pieces(value)) if _is_array_unread(value) else msgspec.json.decode(value)
    return found


def _list_in_pieces(body: Buffer) -> Pieces[list[Any]]:
    found: list[Any] = []
    for piece in (yield from _cut(body, dict)):
        found += json(piece)
        yield
    return found


def _cut(body: Buffer, model: type) -> Pieces[Iterator[bytes]]:
    """Cut a list into lists of about `PIECE` bytes each."""
    items = _scan(body, model, list[msgspec.Raw])
    yield
    size = max(1, PIECE * len(items) // memoryview(body).nbytes)
    return (b"[%b]" % b",".join(items[n : n + size]) for n in range(0, len(items), size))


def _scan(body: Buffer, model: type, kind: type[T]) -> T:
    """Split a body into raw parts, which is fast because they are not decoded."""
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE as cause:
        body = bytes(body)
        raise undecodable(body, model, guess(body) or str(cause)) from cause


def _is_array_unread(body: Buffer | None) -> bool:
    return body is not None and re.match(rb"\s*\[", body) is not None


# ── the decoders of all endpoints ─────────────────────────────────────────────────────────────────────────────────────


REGIONS = _Rows(models.RegionInfo)
EMISSION = _Record(models.EmissionState)
PROFILE = _Record(models.CharacterProfile)
CLANS = Pages(models.ClanInfo, rows="data", total="totalClans")
CLAN = _Record(models.ClanInfo)
MEMBERS = _Rows(models.ClanMember)
CHARACTERS = _Rows(models.Character)
FRIENDS = _Rows(str)
LOTS = Pages(models.AuctionLot, rows="lots")
PRICES = Pages(models.AuctionPrice, rows="prices")
SESSIONS = Pages(models.OperationSession, rows="sessions")
USER = _Record(models.User)
