"""Recordings: a file with the responses that the doctor got, without anything personal. They can be replayed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from scapi.cli.doctor.endpoint_calls import ANYBODY, CALLS, HOST, NOBODY, Call, Known
from scapi.cli.doctor.pseudonyms import Pseudonyms
from scapi.cli.doctor.wire import Exchange, Wire
from scapi.config import Config
from scapi.exceptions import RequestTimeoutError
from scapi.pacing import Budget
from scapi.sync import UserClient

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

__all__ = ["Recorded", "Recording", "decode", "encode", "record", "replay"]

CLAN = "00000000-0000-0000-0000-000000000000"


class Recorded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call and its response.

    Attributes:
        call: The name of the call.
        status: The HTTP status; 0 without a response.
        error: The name of the error, if there was no response.
        seconds: The time from the request to the end of the response.
        received: When the response ended, in seconds since the epoch by the clock of the machine.
        headers: The headers that matter, names in lower case.
        body: The decoded body, if it is JSON.
        bytes: The length of the body, if it isn't JSON.
    """

    call: str
    status: int
    error: str | None = None
    seconds: float = 0.0
    received: float = 0.0
    headers: dict[str, str] = {}
    body: Any = msgspec.UNSET
    bytes: int = 0


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """All calls of one run.

    Attributes:
        software: The versions of the software that made them.
        exchanges: The calls, in their order.
    """

    software: str
    exchanges: list[Recorded]


def record(exchanges: Sequence[Exchange], software: str, secrets: Collection[str]) -> Recording:
    """Make a recording without names, ids, texts of players and credentials.

    Args:
        exchanges: The calls.
        software: The versions of the software.
        secrets: The credentials.
    """
    pseudonyms = Pseudonyms(secrets)
    return Recording(software=software, exchanges=[_recorded(exchange, pseudonyms) for exchange in exchanges])


def _recorded(exchange: Exchange, pseudonyms: Pseudonyms) -> Recorded:
    try:
        raw = msgspec.json.decode(exchange.body)
        body, size = pseudonyms.body(exchange.endpoint, exchange.status, raw), 0
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # A page of a proxy, for example, may have the address of this machine in it.
        body, size = msgspec.UNSET, len(exchange.body)
    return Recorded(
        call=exchange.endpoint,
        status=exchange.status,
        error=None if exchange.error is None or exchange.status else type(exchange.error).__name__,
        seconds=round(exchange.seconds, 4),
        received=exchange.received,
        headers=pseudonyms.headers(exchange.headers),
        body=body,
        bytes=size,
    )


def encode(recording: Recording) -> bytes:
    """Encode a recording so that people can read it."""
    return msgspec.json.format(msgspec.json.encode(recording), indent=1) + b"\n"


def decode(data: bytes) -> Recording:
    """Decode a recording.

    Raises:
        ValueError: The data isn't a recording, or it has calls that this version doesn't know.
    """
    try:
        recording = msgspec.json.decode(data, type=Recording)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a file that scapi doctor --save wrote: {error}") from None
    known = {call.name for call in CALLS}
    for recorded in recording.exchanges:
        if recorded.call not in known and not recorded.call.startswith(HOST):
            raise ValueError(f"this version of scapi has no call {recorded.call!r}")
    return recording


def replay(recording: Recording) -> Iterator[Exchange]:
    """Decode the recorded responses with the clients of this version, as if the API had sent them."""
    calls = {call.name: call for call in CALLS}
    for recorded in recording.exchanges:
        yield _replayed(recorded, calls["regions" if recorded.call.startswith(HOST) else recorded.call])


def _replayed(recorded: Recorded, call: Call) -> Exchange:
    known = Known(
        region=Config.REGION,
        clan=CLAN,
        foreign_clan=CLAN,
        own_clan=CLAN,
        leader=NOBODY,
        other_case=NOBODY,
        character=NOBODY,
    )
    wire = Wire(httpx.MockTransport(partial(_respond, recorded)))
    # With a budget of its own, no call waits for a recorded 429.
    with (
        httpx.Client(transport=wire) as http_client,
        UserClient(token=ANYBODY, http_client=http_client, retry=None, budget=Budget()) as client,
    ):
        exchange = wire.exchange(recorded.call, partial(call.make, client, known))
    return replace(exchange, seconds=recorded.seconds, received=recorded.received)


def _respond(recorded: Recorded, request: httpx.Request) -> httpx.Response:
    if not recorded.status:
        kind = httpx.ReadTimeout if recorded.error == RequestTimeoutError.__name__ else httpx.ConnectError
        raise kind("recorded", request=request)
    body = b"?" * recorded.bytes if recorded.body is msgspec.UNSET else msgspec.json.encode(recorded.body)
    return httpx.Response(recorded.status, headers=recorded.headers, content=body)
