"""Tokens, which never show their content, and accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from scapi._base.secrets import Secret
from scapi.models._base import Record, Time

__all__ = ["AppToken", "User", "UserToken"]


class AppToken(Record, frozen=True, kw_only=True):
    """A token of an application.

    `repr`, pickles and tracebacks with local variables don't show it. `to_json()` and `to_dict()` do: keep their
    results where only you can read them.

    Attributes:
        access_token: The token itself, for `AppClient(token=...)`.
        token_type: The scheme of the `Authorization` header: `"Bearer"`.
        expires_in: Seconds from its issue to its expiry.
        expires_at: When it expires (aware, UTC), by this machine's clock.
    """

    access_token: str
    token_type: str = "Bearer"  # noqa: S105  # a kind of token, not one
    expires_in: int
    expires_at: Time

    @property
    def is_expired(self) -> bool:
        """Whether it has expired."""
        return datetime.now(UTC) >= self.expires_at

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in self._shown())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # `rich` shows this in tracebacks with local variables, and msgspec's own shows everything.
        return self._shown()

    def _shown(self) -> list[tuple[str, Any]]:
        return [
            (name, "***" if name in {"access_token", "refresh_token"} else str(getattr(self, name)))
            for name in self.__struct_fields__
        ]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> dict[str, Any]:
        # A program's model may contain a token but never writes it: dumps end up in responses and logs.
        return {"type": "is-instance", "cls": cls}

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), Secret(self.to_json()))


class UserToken(AppToken, frozen=True, kw_only=True):
    """A token of a user, with a refresh token.

    Attributes:
        refresh_token: Gets the next pair, once. This pair is invalid afterwards.
    """

    refresh_token: str


def _unpickle(cls: type[AppToken], text: Secret) -> AppToken:
    return cls.from_json(text.reveal())


class User(Record, frozen=True, kw_only=True):
    """The account that a user token belongs to.

    Attributes:
        id: The account's number.
        uuid: The account's uuid.
        login: The login name.
        display_login: The displayed name, if it differs.
        distributor: The platform on which the account was made, such as `exbo` or `steam`.
        distributor_id: The account's id there.
    """

    id: int
    uuid: str
    login: str
    display_login: str | None = None
    distributor: str | None = None
    distributor_id: str | int | None = None
