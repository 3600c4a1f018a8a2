"""A request on its way out, in an object that shows nothing secret."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from scapi._base import validation
from scapi._http.redaction import Secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scapi._http.credentials import Credentials


#: How much of a body an error keeps: enough to see what it is, little enough to log.
KEPT = 2000

#: The fields of the OAuth forms that nobody else may see.
SECRET_FIELDS = ("client_secret", "code", "code_verifier", "refresh_token")


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
        empty = [name for name in self._fields if not (isinstance(self._fields[name], str) and self._fields[name])]  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        if empty:
            raise ValueError(f"{empty[0]} must be a non-empty string")
        broken = [name for name in self._fields if not validation.is_encodable(self._fields[name])]
        if broken:
            raise ValueError(f"{broken[0]} must be text that can be written as UTF-8")

    def secrets(self) -> list[str]:
        """The fields that nobody else may see. Never keep them in a variable of a frame that may raise."""
        return [self._fields[name] for name in SECRET_FIELDS if isinstance(self._fields.get(name), str)]

    def __repr__(self) -> str:
        return f"Form({', '.join(self._fields)})"


class HttpRequest:
    """What to send, with its secrets still wrapped.

    The wrappers are opened in the very expression that hands the request to the HTTP library, so that no frame of ours
    has a local variable that a traceback with locals would show. No tuple, because some tools look into those.

    Args:
        url: Where to.
        credentials: Who we are, unless that is nobody's business there.
        method: The HTTP method.
        form: The body.
        extra: Headers beyond those that credentials and form need.
        hidden: Credentials that don't go along, and that may come back all the same.
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
        """The same request to another URL of the same host."""
        return HttpRequest(url, self.credentials, self.method, self.form, self.extra, hidden=self._hidden)

    def elsewhere(self, url: str) -> HttpRequest:
        """A request to another host, which gets nothing of this one."""
        return HttpRequest(url, hidden=self._hidden)

    def check(self) -> None:
        """Raise a `ValueError` if the form has a field that can't be sent."""
        if self.form:
            self.form.check()

    def headers(self) -> dict[str, str]:
        """All headers, secret ones included."""
        form = {"Content-Type": "application/x-www-form-urlencoded"} if self.form else {}
        return {**form, **(self.credentials.headers() if self.credentials else {}), **self.extra}

    def content(self) -> bytes | None:
        """The body, or `None`."""
        return self.form.encode() if self.form else None

    def secrets(self) -> Secrets:
        """What must not show of this request."""
        return Secrets(
            *(self._hidden.secrets() if self._hidden else ()),
            *(self.form.secrets() if self.form else ()),
        )

    def redact(self, body: bytes) -> bytes:
        """An answer without our secrets in it."""
        return self.secrets().mask(body)

    def __repr__(self) -> str:
        # After a redirect the query may be anything, a secret of ours or of the server's.
        return f"HttpRequest({self.method} {self.secrets().mask(self.url.partition('?')[0])})"


class HttpResponse:
    """An answer as it came over the wire, whole. Header names are in lower case.

    It shows nothing of what it holds, which may be our secrets or new ones. No tuple, because some tools look into
    those.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"HttpResponse({self.status}, {len(self.headers)} headers, {len(self.body)} bytes)"
