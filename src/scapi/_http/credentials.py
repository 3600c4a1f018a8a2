"""The credentials of a client, in an object that never shows them."""

from __future__ import annotations

import os
import warnings
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from scapi._base import validation
from scapi._base.secrets import Secret, reveal
from scapi.exceptions import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The message for missing credentials.
NO_CREDENTIALS = (
    "no credentials: pass token, or client_id and client_secret; or set SCAPI_TOKEN, or SCAPI_CLIENT_ID and "
    "SCAPI_CLIENT_SECRET. Without a key, run: python -m scapi.testing program.py"
)


class Credentials:
    """A token, or the id and secret of an application.

    The constructor never raises. `check` validates them.
    """

    __slots__ = ("_client_id", "_client_secret", "_token")

    def __init__(
        self,
        *,
        token: str | Secret | None = None,
        client_id: str | None = None,
        client_secret: str | Secret | None = None,
    ) -> None:
        self._token = Secret.of(token)
        self._client_secret = Secret.of(client_secret)
        self._client_id = client_id

    @property
    def client_id(self) -> str:
        """The id of the application. It is not secret: it is part of the login URL."""
        return self._client_id or ""

    @property
    def is_empty(self) -> bool:
        """Whether no credentials were given."""
        return self._token is None and self._client_id is None and self._client_secret is None

    @classmethod
    def given_or_of_environment(
        cls, token: Secret | None, client_id: str | None, client_secret: Secret | None
    ) -> Credentials:
        """Return the given credentials, or those of the environment if none are given. Never raises."""
        given = cls(token=token, client_id=client_id, client_secret=client_secret)
        if not given.is_empty:
            return given
        # Not `os.environ.get`: a traceback may show the repr of `os.environ`, which is the whole environment.
        return cls(
            token=os.getenv("SCAPI_TOKEN"),
            client_id=os.getenv("SCAPI_CLIENT_ID"),
            client_secret=os.getenv("SCAPI_CLIENT_SECRET"),
        )

    def check(self, missing: str = NO_CREDENTIALS) -> Credentials:
        """Return these credentials, validated.

        Args:
            missing: The message if all of them are missing.

        Raises:
            CredentialsError: A part is missing or can't be sent.
            TypeError: A part isn't a string.
        """
        parts = {"token": self._token, "client_id": self._client_id, "client_secret": self._client_secret}
        for name, part in parts.items():
            if part:
                _check_header(name, Secret.of(part).check(name))
        if bool(self._client_id) != bool(self._client_secret):
            half = "client_secret" if self._client_id else "client_id"
            raise CredentialsError(f"client_id and client_secret go together: {half} is missing")
        if not self._token and not self._client_id:
            raise CredentialsError(missing)
        if self._token and self._client_id:
            warnings.warn("both a token and a client_id pair were given: the pair is used", UserWarning, stacklevel=3)
        return self

    def check_pair(self) -> Credentials:
        """Return these credentials if they are the pair of an application.

        Raises:
            CredentialsError: The client id, the client secret or both are missing.
        """
        if not self.client_id and not self._client_secret:
            raise CredentialsError("the client_id and client_secret of the application are missing")
        return self.check()

    def headers(self) -> Mapping[str, str | Secret]:
        """Return the request headers that authenticate."""
        if self.client_id and self._client_secret:
            return {"Client-Id": self.client_id, "Client-Secret": self._client_secret}
        return {"Authorization": Secret(f"Bearer {self._token.reveal() if self._token else None}")}

    def fields(self) -> Mapping[str, str | Secret]:
        """Return the form fields that identify the application."""
        if self.client_id and self._client_secret:
            return {"client_id": self.client_id, "client_secret": self._client_secret}
        return {}

    def secrets(self) -> list[Secret]:
        """Return the parts that must not be shown."""
        return [secret for secret in (self._token, self._client_secret) if secret]

    def fingerprint(self) -> str:
        """Return a digest that distinguishes credentials without revealing them."""
        return blake2b(
            repr(sorted((name, reveal(value)) for name, value in self.headers().items())).encode(), digest_size=16
        ).hexdigest()

    def __repr__(self) -> str:
        return "Credentials(client_id=***, client_secret=***)" if self.client_id else "Credentials(token=***)"

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (self._token, self._client_id, self._client_secret)


def _check_header(name: str, secret: Secret) -> None:
    """Raise `CredentialsError` if a secret can't be sent as a header."""
    if not validation.is_header(secret.reveal()):
        raise CredentialsError(
            f"{name} contains characters that can't be sent, such as surrounding spaces or line breaks"
        )
    if name == "token" and " " in secret.reveal():
        # `Bearer x` would be sent as `Bearer Bearer x`, and the server would reject it like an expired token.
        raise CredentialsError(
            "token contains a space: pass the token alone, without a word such as 'Bearer' before it"
        )


def _unpickle(token: Secret | None, client_id: str | None, client_secret: Secret | None) -> Credentials:
    return Credentials(token=token, client_id=client_id, client_secret=client_secret)
