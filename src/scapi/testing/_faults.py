"""Faults that a test switches on: which requests they apply to, and how they change the response."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal, get_args

from scapi.testing._http import RefusedError, Reply, error_reply, half, with_headers

FaultKind = Literal["status", "html", "empty", "headers", "delay", "broken_json", "cut", "reset"]
"""The kinds of faults that `FakeApi.fail` can switch on."""

REPLACING = frozenset({"status", "html", "empty", "reset"})
"""Faults before the API, such as a proxy's: the API never sees the request, and no points are spent."""

HTML = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>\n"


@dataclass(slots=True)
class Fault:
    """A fault that is switched on.

    Attributes:
        path: Glob pattern for the decoded path, ignoring case; `*` also matches slashes.
        kind: What goes wrong.
        status: HTTP status of a response that replaces the API's.
        body: Body of a response that replaces the API's; None for the default of the kind.
        headers: Headers that are added to the response or replace its own.
        delay: Seconds until the response begins.
        left: How many more requests the fault applies to; None for all.
    """

    path: str
    kind: FaultKind
    status: int
    body: bytes | None
    headers: Mapping[str, str]
    delay: float
    left: int | None

    def strikes(self, path: str) -> bool:
        """Return whether the fault applies to a request for this path."""
        return self.left != 0 and fnmatchcase(path.lower(), self.path.lower())


def new_fault(
    path: str,
    kind: FaultKind,
    *,
    status: int | None,
    body: bytes | str | None,
    headers: Mapping[str, str] | None,
    delay: float,
    times: int | None,
) -> Fault:
    """Return a fault made from the arguments of `FakeApi.fail`. Raise a ValueError if they don't go together."""
    if kind not in get_args(FaultKind):
        raise ValueError(f"fault must be one of {', '.join(get_args(FaultKind))}, not {kind!r}")
    if kind not in REPLACING - {"reset"} and (status is not None or body is not None):
        raise ValueError(f"status and body go with 'status', 'html' and 'empty', not with {kind!r}")
    if status is not None and not 200 <= status <= 599:
        raise ValueError(f"status must be 200 to 599, not {status!r}")
    # `not >=` instead of `<`, because nan fails every comparison.
    if not delay >= 0 or (kind == "delay" and delay == 0):
        raise ValueError(f"delay must be seconds above 0, not {delay!r}")
    if kind == "headers" and not headers:
        raise ValueError("headers must be given with 'headers'")
    if times is not None and times < 1:
        raise ValueError(f"times must be 1 or more, or None for always, not {times!r}")
    content = body.encode() if isinstance(body, str) else body
    return Fault(path, kind, status or _usual_status(kind, body), content, _lower(headers), delay, times)


def _lower(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def _usual_status(kind: FaultKind, body: bytes | str | None) -> int:
    if kind == "html":
        return 502
    return 503 if kind == "status" and body is None else 200


def in_front(fault: Fault) -> Reply:
    """Return the response of a fault that keeps the request from the API."""
    if fault.kind == "reset":
        reply = Reply(503, {}, ending="reset")
    elif fault.kind == "html":
        reply = Reply(fault.status, {"content-type": "text/html; charset=UTF-8", "server": "cloudflare"}, HTML)
    elif fault.kind == "empty":
        reply = Reply(fault.status, {"content-type": "text/plain; charset=utf-8"})
    else:
        reply = error_reply(RefusedError(fault.status))
    body = reply.body if fault.body is None else fault.body
    return with_headers(replace(reply, body=body, delay=fault.delay), fault.headers)


def behind(fault: Fault, reply: Reply) -> Reply:
    """Return the API's own response, changed by a fault."""
    body = half(reply.body) if fault.kind == "broken_json" else reply.body
    ending = "cut" if fault.kind == "cut" else reply.ending
    return with_headers(replace(reply, body=body, delay=fault.delay, ending=ending), fault.headers)
