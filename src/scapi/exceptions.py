"""All errors of scapi, except `ValueError` and `TypeError` for wrong arguments.

    ScApiException
    ├── CredentialsError          no usable credentials
    │   ├── LoginError            the login in the browser didn't lead to a token
    │   └── TokenNotSavedError    a token was renewed, but `on_token` failed to take it
    ├── ClosedError               the client is closed
    ├── TransportError            no response: DNS, refused, reset, TLS, cut off
    │   └── RequestTimeoutError   no response in time
    ├── DecodeError               a response that isn't what the API promises
    ├── ItemNameError             a name that means no item, or several
    ├── StoreError                the database of a store failed
    │   ├── StoreVersionError     a newer release made the store
    │   └── LeaseLostError        another collector has taken the item over
    └── RequestError              an error status
        ├── ClientError (4xx)     BadRequestError UnauthorizedError ForbiddenError NotFoundError RateLimitError
        └── ServerError (5xx)

All of them can be pickled. None contains a credential, except `TokenNotSavedError.token`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scapi._base import escaping

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scapi.models.items import Lookup
    from scapi.models.tokens import UserToken

__all__ = [
    "BadRequestError",
    "ClientError",
    "ClosedError",
    "CredentialsError",
    "DecodeError",
    "ForbiddenError",
    "ItemNameError",
    "LeaseLostError",
    "LoginError",
    "NotFoundError",
    "RateLimitError",
    "RequestError",
    "RequestTimeoutError",
    "ScApiException",
    "ServerError",
    "StoreError",
    "StoreVersionError",
    "TokenNotSavedError",
    "TransportError",
    "UnauthorizedError",
]


class ScApiException(Exception):
    """The base of all errors of this library.

    Its text is one line, without control characters, whatever the server said.
    """

    def __str__(self) -> str:
        # Tracebacks go to terminals, and errors into logs.
        return escaping.log(super().__str__(), None)

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls `cls(*args)`, without the keyword-only fields.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(cls: type[ScApiException], args: tuple[Any, ...], state: dict[str, Any]) -> ScApiException:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class CredentialsError(ScApiException):
    """No usable credentials: none, or half a pair."""


class LoginError(CredentialsError):
    """The login in the browser didn't lead to a token.

    Attributes:
        error: The server's code, such as `"access_denied"`; empty if the server didn't refuse: nobody logged in in
            time, the port was taken, or the redirect didn't belong to this login.
    """

    def __init__(self, message: str, *, error: str = "") -> None:
        super().__init__(message)
        self.error = error


class TokenNotSavedError(CredentialsError):
    """A token was renewed, but `on_token` failed to take the new one. The cause is what `on_token` raised.

    The old token is no longer valid. The client keeps the new one, and calls `on_token` again before its next call.

    Attributes:
        token: The new token. The text of this error doesn't show it.
    """

    def __init__(self, token: UserToken) -> None:
        super().__init__("the token was renewed, but on_token failed to save it; it is in the `token` of this error")
        self.token = token


class ClosedError(ScApiException):
    """The client is closed, or was closed during the call. Don't retry: make another client."""


class TransportError(ScApiException):
    """No response arrived: the name didn't resolve, the connection was refused, reset or cut off, or TLS failed."""


class RequestTimeoutError(TransportError):
    """No response arrived in time.

    Attributes:
        connecting: Whether the connection took too long, so that nothing was sent.
    """

    def __init__(self, message: str, *, connecting: bool = False) -> None:
        super().__init__(message)
        self.connecting = connecting


class DecodeError(ScApiException):
    """A response arrived that isn't what the API promises.

    Attributes:
        body: The start of the body; empty if it may contain a new token.
        path: The place in the document, such as `$.total`; `$` for all of it.
        model: The name of the expected model.
        url: The URL of the request.
        status: The HTTP status of the response.
    """

    def __init__(
        self, message: str, *, body: bytes = b"", path: str = "$", model: str = "", url: str = "", status: int = 200
    ) -> None:
        super().__init__(message)
        self.body = body
        self.path = path
        self.model = model
        self.url = url
        self.status = status


class ItemNameError(ScApiException, ValueError):
    """A name that matches no entry of the item database, or several.

    Attributes:
        query: The name.
        candidates: Entries that it may mean, the best first; empty if nothing is similar.
    """

    def __init__(self, message: str, *, query: str, candidates: Sequence[Lookup] = ()) -> None:
        super().__init__(message)
        self.query = query
        self.candidates = list(candidates)


class StoreError(ScApiException):
    """The database of a store failed, can't be reached, or holds something else.

    The text names the database, without user and password. The cause is chained.
    """


class StoreVersionError(StoreError):
    """A newer release of this library made the store, and this one doesn't know its schema."""


class LeaseLostError(StoreError):
    """Another collector has taken the item over. Nothing was written."""


class RequestError(ScApiException):
    """The server responded with an error status.

    Attributes:
        status: The HTTP status.
        method: The HTTP method of the request.
        url: The URL of the request.
        data: The decoded JSON body, or its text if it isn't JSON, or `None` if it is empty.
        headers: The headers of the response, with lower-case names.
        message: What the server said went wrong: on one line, at most 500 characters of it.
        hint: What may help; empty if the library doesn't know.
    """

    hint = ""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        method: str = "GET",
        url: str = "",
        data: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = escaping.log(message)
        super().__init__(self.message)
        self.status = status
        self.method = method
        self.url = url
        self.data = data
        self.headers = dict(headers or {})

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return escaping.log(f"{self.status} {self.message}{hint} ({self.method} {self.url})", None)


class ClientError(RequestError):
    """A 4xx status: the request can't be answered as it is."""


class BadRequestError(ClientError):
    """400: an unknown item, or an argument that the server refuses."""


class UnauthorizedError(ClientError):
    """401: the credentials are missing, invalid or expired, or are not enough for this endpoint."""


class ForbiddenError(ClientError):
    """403: the credentials are valid, but this is not allowed."""


class NotFoundError(ClientError):
    """404: there is no such character, clan or path."""


class RateLimitError(ClientError):
    """429: the points of this minute are used up, or a proxy in front of the API refuses calls.

    Also raised when nothing was sent: the call won't get its turn within `queue_timeout`, or an earlier refusal is
    still in force and the call may not wait that long. The text has the seconds until calls are possible again.

    Attributes:
        retry_after: Seconds until calls are possible again; `math.inf` if the limit is 0. While a refusal is in force,
            the error of every call has the seconds that are left of it.
        sent: Whether the server refused this call; `False` if nothing was sent.
    """

    def __init__(
        self, message: str, *, retry_after: float = 60.0, status: int = 429, sent: bool = True, **context: Any
    ) -> None:
        super().__init__(message, status=status, **context)
        self.retry_after = retry_after
        self.sent = sent

    def __str__(self) -> str:
        status = f"{self.status} " if self.sent else ""
        again = f"; possible again in {self.retry_after:.1f} s" if math.isfinite(self.retry_after) else ""
        return escaping.log(f"{status}{self.message}{again} ({self.method} {self.url})", None)


class ServerError(RequestError):
    """A 5xx status: the server, or the proxy in front of it, failed."""
