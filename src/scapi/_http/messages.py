"""Requests and responses that never show secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from scapi._base import validation
from scapi._base.secrets import MASK, Secret, reveal
from scapi._http.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scapi._http.credentials import Credentials


#: How many bytes of a body an error keeps: enough to recognise it, few enough to log.
KEPT = 2000


class Form:
    """A form-encoded body. It shows the names of its fields, not their values."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str | Secret]) -> None:
        self._fields = fields

    def encode(self) -> bytes:
        """Return the body as it is sent."""
        return urlencode({name: reveal(value) for name, value in self._fields.items()}).encode()

    def check(self) -> None:
        """Check whether the form can be sent.

        Raises:
            ValueError: A field can't be sent. The message names the field, not the value.
        """
        for name, value in self._fields.items():
            if not reveal(value):
                raise ValueError(f"{name} must be a non-empty string")
            if not validation.is_encodable(reveal(value)):
                raise ValueError(f"{name} must be text that can be written as UTF-8")

    def secrets(self) -> list[Secret]:
        """Return the secret values of the form."""
        return [value for value in self._fields.values() if isinstance(value, Secret)]

    def __repr__(self) -> str:
        return f"Form({', '.join(self._fields)})"


class HttpRequest:
    """One request to send. Its secrets stay wrapped until the HTTP library gets them.

    The frames of that library contain them, so `Transport` drops the tracebacks of all its exceptions. This class is
    not a tuple, because some tools print the items of tuples.

    Args:
        url: The URL.
        credentials: The credentials to send along, if any.
        method: The HTTP method.
        form: The body.
        extra: Headers in addition to those of the credentials and the form.
        hidden: Credentials that are not sent with this request, but are masked in its response.
    """

    __slots__ = ("_hidden", "credentials", "extra", "form", "method", "url")

    def __init__(
        self,
        url: str,
        credentials: Credentials | None = None,
        method: str = "GET",
        form: Form | None = None,
        extra: Mapping[str, str] | None = None,
        *,
        hidden: Credentials | None = None,
    ) -> None:
        self.url = url
        self.credentials = credentials
        self.method = method
        self.form = form
        self.extra = extra or {}
        self._hidden = credentials or hidden

    def moved(self, url: str) -> HttpRequest:
        """Return the same request for another URL of the same host."""
        return HttpRequest(url, self.credentials, self.method, self.form, self.extra, hidden=self._hidden)

    def elsewhere(self, url: str) -> HttpRequest:
        """Return a request to another host, without the credentials, body and headers of this one."""
        return HttpRequest(url, hidden=self._hidden)

    def check(self) -> None:
        """Raise `ValueError` if a field of the form can't be sent."""
        if self.form:
            self.form.check()

    def headers(self) -> dict[str, str | Secret]:
        """Return all headers."""
        form = {"Content-Type": "application/x-www-form-urlencoded"} if self.form else {}
        return {**form, **(self.credentials.headers() if self.credentials else {}), **self.extra}

    def content(self) -> bytes | None:
        """Return the body, or `None`."""
        return self.form.encode() if self.form else None

    def redactor(self) -> Redactor:
        """Return a redactor for the secrets of this request."""
        return Redactor(
            *(self._hidden.secrets() if self._hidden else ()),
            *(self.form.secrets() if self.form else ()),
        )

    def redact(self, body: bytes) -> bytes:
        """Return a body without the secrets of this request."""
        return self.redactor().mask(body)

    def redact_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers of a response, without our secrets and without cookies, which may be new secrets."""
        return self.redactor().mask({**headers, **({"set-cookie": MASK} if "set-cookie" in headers else {})})

    def __repr__(self) -> str:
        # After a redirect the query may contain credentials.
        return f"HttpRequest({self.method} {self.redactor().mask(self.url.partition('?')[0])})"


class HttpResponse:
    """One response, read completely. Header names are in lower case.

    The repr doesn't show the content: a server may echo our secrets, or send new ones.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"HttpResponse({self.status}, {len(self.headers)} headers, {len(self.body)} bytes)"
