"""Who we are, in an object that never shows it."""

from __future__ import annotations

import os
import warnings
from hashlib import blake2b
from typing import Any

from scapi._base import validation
from scapi._base.secrets import scramble, unscramble
from scapi.exceptions import CredentialsError

#: What to do about missing credentials.
NO_CREDENTIALS = (
    "no credentials: pass token, or client_id and client_secret; or set SCAPI_TOKEN, or SCAPI_CLIENT_ID and "
    "SCAPI_CLIENT_SECRET. Without a key, try demo() or scapi.testing.FakeApi"
)


class Credentials:
    """A token, or the id and secret of an application.

    The constructor only holds what it gets and never raises, so that a caller can drop its own references to the
    secrets before `check()` does: an exception's traceback shows the local variables of every frame it passes.
    """

    __slots__ = ("_client_id", "_client_secret", "_token")

    def __init__(
        self, *, token: str | None = None, client_id: str | None = None, client_secret: str | None = None
    ) -> None:
        self._token = token
        self._client_id = client_id
        self._client_secret = client_secret

    @classmethod
    def given_or_of_environment(
        cls, token: str | None, client_id: str | None, client_secret: str | None
    ) -> Credentials:
        """Return the credentials of the caller, or those of the environment if the caller has none. Never raises."""
        given = cls(token=token, client_id=client_id, client_secret=client_secret)
        if not given.is_empty:
            return given
        # Not `os.environ.get`: its repr, which a traceback may show, is the whole environment.
        return cls(
            token=os.getenv("SCAPI_TOKEN"),
            client_id=os.getenv("SCAPI_CLIENT_ID"),
            client_secret=os.getenv("SCAPI_CLIENT_SECRET"),
        )

    def check(self, missing: str = NO_CREDENTIALS) -> Credentials:
        """Return these credentials, or raise a `CredentialsError` that says what is wrong; `missing`, if all are."""
        for name in self.__slots__:
            if flaw := _flaw(name.lstrip("_"), getattr(self, name)):
                raise flaw
        if bool(self._client_id) != bool(self._client_secret):
            half = "client_secret" if self._client_id else "client_id"
            raise CredentialsError(f"client_id and client_secret go together: {half} is missing")
        if not self._token and not self._client_id:
            raise CredentialsError(missing)
        if self._token and self._client_id:
            warnings.warn("both a token and a client_id pair were given: the pair is used", UserWarning, stacklevel=3)
        return self

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was given."""
        return self._token is None and self._client_id is None and self._client_secret is None

    def headers(self) -> dict[str, str]:
        """The request headers that say who we are. Never keep them in a variable of a frame that may raise."""
        if self._client_id and self._client_secret:
            return {"Client-Id": self._client_id, "Client-Secret": self._client_secret}
        return {"Authorization": f"Bearer {self._token}"}

    def fields(self) -> dict[str, str]:
        """The fields of a form that say which application we are. Never keep them in a variable either."""
        if self._client_id and self._client_secret:
            return {"client_id": self._client_id, "client_secret": self._client_secret}
        return {}

    def check_pair(self) -> Credentials:
        """These credentials, or a `CredentialsError` unless they are the whole pair of an application."""
        if not self._client_id and not self._client_secret:
            raise CredentialsError("client_id and client_secret of the application are needed, and both are missing")
        return self.check()

    @property
    def client_id(self) -> str:
        """The application's id, which is no secret: it is part of the URL that users log in at."""
        return self._client_id or ""

    def fingerprint(self) -> str:
        """A digest that tells two credentials apart without giving them away."""
        return blake2b(repr(sorted(self.headers().items())).encode(), digest_size=16).hexdigest()

    def secrets(self) -> list[str]:
        """All that must not show. Never keep it in a variable of a frame that may raise."""
        return [secret for secret in (self._token, self._client_secret) if secret]

    def __repr__(self) -> str:
        return "Credentials(client_id=***, client_secret=***)" if self._client_id else "Credentials(token=***)"

    def __reduce__(self) -> tuple[Any, ...]:
        # Worker processes need working clients, so a pickle has to hold the secrets; it never holds them in clear.
        parts = (getattr(self, name) for name in self.__slots__)
        return _unpickle, tuple(part if part is None else scramble(part) for part in parts)


def _flaw(name: str, value: Any) -> Exception | None:
    """The error for what can't be sent as a header. Not raised here, where the value is a local variable."""
    if value is not None and not isinstance(value, str):
        return TypeError(f"{name} must be a string, not {type(value).__name__}")
    if value and not validation.is_header(value):
        return CredentialsError(f"{name} holds characters that can't be sent, such as spaces or line breaks around it")
    if value and name == "token" and " " in value:
        # `Bearer x` would be sent as `Bearer Bearer x`, and be refused as if it had expired.
        return CredentialsError("token holds a space: pass the token alone, without a word such as 'Bearer' before it")
    return None


def _unpickle(*parts: tuple[bytes, bytes] | None) -> Credentials:
    secrets = (part if part is None else unscramble(part) for part in parts)
    return Credentials(**dict(zip((name.lstrip("_") for name in Credentials.__slots__), secrets, strict=True)))
