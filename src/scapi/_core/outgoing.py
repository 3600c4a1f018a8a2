"""A request on its way out, in an object that shows nothing secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scapi._core.credentials import Credentials

__all__ = ["Form", "Outgoing"]


#: The fields of the OAuth forms that nobody else may see.
SECRET_FIELDS = ("client_secret", "code", "refresh_token")


class Form:
    """A form-encoded body whose fields are not shown: they may be secrets."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    def encode(self) -> bytes:
        """The body as it goes over the wire."""
        return urlencode(self._fields).encode()

    def check(self) -> None:
        """Raise a `ValueError` that names the first field which can't be sent, and doesn't show it."""
        wrong = [name for name in self._fields if not (isinstance(self._fields[name], str) and self._fields[name])]  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        if wrong:
            raise ValueError(f"{wrong[0]} must be a non-empty string")

    def redact(self, body: bytes) -> bytes:
        """The body without the secrets of this form, should a server or proxy echo them."""
        for secret in filter(None, (self._fields.get(name) for name in SECRET_FIELDS)):
            body = body.replace(secret.encode(), b"***")
        return body

    def __repr__(self) -> str:
        return f"Form({', '.join(self._fields)})"


class Outgoing(NamedTuple):
    """What to send, with its secrets still wrapped.

    The wrappers are opened in the very expression that hands the request to the HTTP library, so that no frame of ours
    has a local variable that a traceback with locals would show.
    """

    url: str
    credentials: Credentials | None = None
    method: str = "GET"
    form: Form | None = None
    extra: Mapping[str, str] = {}

    def check(self) -> Self:
        """This request, or a `ValueError` if its form has a field that can't be sent."""
        if self.form:
            self.form.check()
        return self

    def headers(self) -> dict[str, str]:
        """All headers, secret ones included."""
        form = {"Content-Type": "application/x-www-form-urlencoded"} if self.form else {}
        return {**form, **(self.credentials.headers() if self.credentials else {}), **self.extra}

    def content(self) -> bytes | None:
        """The body, or `None`."""
        return self.form.encode() if self.form else None

    def redact(self, body: bytes) -> bytes:
        """An answer without our secrets in it."""
        body = self.credentials.redact(body) if self.credentials else body
        return self.form.redact(body) if self.form else body
