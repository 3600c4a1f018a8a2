"""What a program is told of each answer."""

from __future__ import annotations

from scapi.models._base import Record

__all__ = ["ResponseInfo"]


class ResponseInfo(Record, frozen=True, kw_only=True):
    """An answer of the API, as `on_response` gets it: a good one, or an error status.

    Attributes:
        method: The HTTP method.
        operation: The name of the endpoint, such as `lots`, and `oauth_token` or `oauth_user` for the server of logins.
            There are few of them, so they make good labels of metrics.
        path: The path that was asked for, without its query.
        status: The HTTP status.
        headers: The headers, by their lower-case names. Credentials and cookies in them are masked.
        seconds: How long the answer took, from the moment when a connection was free.
        attempts: How often the call has been sent by now, 1 or more.
        waited: Seconds that the call has waited by now: for its points, after failures, for a connection.
        remaining: The points that are left, as `client.ratelimit` has it; `None` as long as that is unknown.
    """

    method: str
    operation: str
    path: str
    status: int
    headers: dict[str, str]
    seconds: float
    attempts: int
    waited: float
    remaining: int | None
