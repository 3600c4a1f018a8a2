"""The options of the clients, grouped by where they are accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    import httpx

    from scapi._base.secrets import Secret
    from scapi._ratelimit.priorities import Priority
    from scapi._ratelimit.protocol import BudgetSource, Pacing
    from scapi._retry import Retry
    from scapi.enums import RegionLike
    from scapi.models import ResponseInfo, UserToken


class CallOptions(TypedDict, total=False):
    """Options that can differ from call to call. `json` is separate, because it changes the type of results."""

    region: RegionLike | None
    timeout: float | None
    retry: Retry | int | None
    pace: bool | Literal["even"]
    queue_timeout: float | None
    priority: Priority
    on_response: Callable[[ResponseInfo], object] | None
    cache: bool | Mapping[str, float] | None


class Options(CallOptions, total=False):
    """The arguments that all clients have besides their credentials."""

    base_url: str | None
    reserve: float
    user_agent: str | None
    budget: Pacing | BudgetSource | None
    http_client: httpx.AsyncClient | None
    proxy: str | Secret | None
    verify: ssl.SSLContext | str | bool | None


class AppOptions(Options, total=False):
    """All arguments of an `AppClient`."""

    token: str | Secret | None
    client_id: str | None
    client_secret: str | Secret | None


class UserOptions(Options, total=False):
    """All arguments of a `UserClient`."""

    token: str | Secret | UserToken | None
    refresh_token: str | Secret | None
    client_id: str | None
    client_secret: str | Secret | None
    on_token: Callable[[UserToken], object] | None
    oauth_url: str | None
