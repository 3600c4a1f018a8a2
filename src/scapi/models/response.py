"""The description of a response that `on_response` gets."""

from __future__ import annotations

from scapi.models._base import Record

__all__ = ["ResponseInfo"]


class ResponseInfo(Record, frozen=True, kw_only=True):
    """A response of the API, as `on_response` gets it: a successful one, or one with an error status.

    Attributes:
        method: The HTTP method.
        operation: The name of the endpoint, such as `lots`, and `oauth_token` or `oauth_user` for the server of logins.
            There are few of them, so they make good labels of metrics.
        path: The path of the request, without its query.
        status: The HTTP status.
        headers: The headers, by their lower-case names. Credentials and cookies in them are masked.
        seconds: How long the response took, from the moment when a connection was free.
        attempts: How often the call has been sent so far, 1 or more.
        waited: Seconds that the call has waited so far: for its points, after failures, for a connection.
        remaining: The points that are left, as in `client.ratelimit`; `None` as long as they are unknown.
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
