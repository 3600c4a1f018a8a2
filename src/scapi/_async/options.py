"""The options of the clients, by where they can be given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    import ssl

    import httpx

    from scapi._base.secrets import Secret
    from scapi._ratelimit.priorities import Priority
    from scapi._retry import Retry
    from scapi.enums import Region


class CallOptions(TypedDict, total=False):
    """What can differ from call to call."""

    region: Region | str | None
    json: bool
    timeout: float | None
    retry: Retry | int | None
    pace: bool | Literal["even"]
    queue_timeout: float | None
    priority: Priority


class Options(CallOptions, total=False):
    """The arguments that all clients have beside their credentials."""

    base_url: str | None
    reserve: float
    http_client: httpx.AsyncClient | None
    proxy: str | Secret | None
    verify: ssl.SSLContext | str | bool | None
