"""Keeps a user's token valid. All waiting calls share one renewal, and the new token is saved before they continue."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from scapi._async.single_flight import SingleFlight
from scapi._auth import oauth
from scapi._primitives import aio
from scapi.exceptions import ClientError, ClosedError, TokenNotSavedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scapi._async.clock import Clock
    from scapi._async.oauth import OAuthClient
    from scapi._http.credentials import Credentials
    from scapi._retry import RetryState
    from scapi.models import UserToken


class Renewal:
    """The token of a user and its renewal.

    Attributes:
        credentials: The current token, as sent. A renewal replaces the whole object.
        still_unauthorized: The operations that got a 401 although the token had just been renewed. They need a
            permission that the user lacks, such as to see the members of another clan.
    """

    def __init__(
        self,
        token: UserToken,
        open_client: Callable[[], OAuthClient],
        on_token: Callable[[UserToken], object] | None,
        clock: Clock,
    ) -> None:
        self.credentials = oauth.bearer(token)
        self.still_unauthorized: set[str] = set()
        self._token = token
        self._unsaved: UserToken | None = None
        self._refused: ClientError | None = None
        self._open_client = open_client
        self._on_token = None if on_token is None else aio.callback("on_token", on_token)
        self._flight = SingleFlight(aio.spawn, clock)
        self._clock = clock
        self._closed = False

    async def fresh(self, retry_state: RetryState) -> Credentials:
        """Return the token, renewed first if it is about to expire."""
        credentials = self.credentials
        if self._unsaved is not None or oauth.is_due(self._token, self._clock.utc()):
            await self.replace(credentials, retry_state)
        return self.credentials

    async def replace(self, stale: Credentials, retry_state: RetryState) -> None:
        """Renew the token, unless it has been replaced already.

        Args:
            stale: The credentials to replace.
            retry_state: Limits the wait for a renewal that another call has started.

        Raises:
            UnauthorizedError: The server refused the renewal, now or earlier.
            TokenNotSavedError: The token was renewed, but `on_token` failed.
            QueueTimeoutError: Another call's renewal takes longer than this call may wait.
            ScApiException: Any other failure of the request.
        """
        while self.credentials is stale:
            begun = self._clock.now()
            if await self._flight.run(partial(self._replace, stale), retry_state.patience):
                retry_state.spend(self._clock.now() - begun)

    async def _replace(self, stale: Credentials) -> None:
        # Another call may have finished a renewal since the caller checked the credentials.
        if self.credentials is not stale:
            return
        if self._closed:
            raise ClosedError("the client is closed")
        if self._unsaved is None:
            self._unsaved = await self._renewed()
        await self._save(self._unsaved)
        self._token, self._unsaved = self._unsaved, None
        self.still_unauthorized = set()
        self.credentials = oauth.bearer(self._token)

    async def _renewed(self) -> UserToken:
        if self._refused is None:
            try:
                # Renewals are about a year apart, so no connection is kept.
                async with self._open_client() as oauth_client:
                    return await oauth_client.refresh_user_token(self._token)
            except ClientError as error:
                if error.status not in oauth.REFUSALS:
                    raise
                # The refusal is final, so later calls raise it without another request.
                self._refused = error.with_traceback(None)
        raise oauth.refused(self._refused) from self._refused

    async def _save(self, token: UserToken) -> None:
        if self._on_token is None:
            return
        try:
            await aio.call(self._on_token, token)
        except Exception as cause:
            raise TokenNotSavedError(token) from cause

    async def close(self) -> None:
        """Wait for a renewal in progress, so that its new token isn't lost, and start no other."""
        self._closed = True
        await self._flight.settle()

    def __repr__(self) -> str:
        return f"Renewal({self._token!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Renewal, (self._unsaved or self._token, self._open_client, self._on_token, self._clock)
