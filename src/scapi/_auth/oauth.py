"""OAuth without I/O: build login URLs and token requests, read the responses.

Source: https://eapi.stalzone.com/auth.html
"""

from __future__ import annotations

import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NoReturn, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from msgspec.structs import replace

from scapi import exceptions
from scapi._api import errors
from scapi._base import escaping, validation
from scapi._base.formatting import shifted
from scapi._base.secrets import Secret
from scapi._http.credentials import Credentials
from scapi._http.messages import Form, HttpRequest
from scapi.models.tokens import AppToken, UserToken

TokenT = TypeVar("TokenT", bound=AppToken)

#: A token is renewed this many seconds before it expires, or when this share of its lifetime is left if that is later.
EARLY, EARLY_SHARE = 60.0, 0.1

#: The statuses of a refused renewal. Servers use either.
REFUSALS = (400, 401)

#: The message for a missing user token.
NO_USER = (
    "no credentials: pass token, or set SCAPI_USER_TOKEN. To have the token renewed, add refresh_token, client_id and "
    "client_secret, or SCAPI_REFRESH_TOKEN, SCAPI_CLIENT_ID and SCAPI_CLIENT_SECRET. OAuthClient gets a token. "
    "Without a key, run: python -m scapi.testing program.py"
)

NEVER = datetime.max.replace(tzinfo=UTC)


# ── the login ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class AuthorizeUrl(str):
    """The URL at which a user logs in.

    Attributes:
        state: The state that the redirect must contain. A redirect without it belongs to another login.
    """

    __slots__ = ("state",)
    __module__ = "scapi"

    state: str


class Proof:
    """Proves that the program that sends the code also began the login (PKCE, RFC 7636).

    A server without PKCE ignores both parts.
    """

    __slots__ = ("_verifier",)

    def __init__(self) -> None:
        self._verifier = Secret(secrets.token_urlsafe(32))

    def challenge(self) -> dict[str, str]:
        """Return the parameters for the login URL. They don't reveal the verifier."""
        digest = urlsafe_b64encode(sha256(self._verifier.encode()).digest())
        return {"code_challenge": digest.decode().rstrip("="), "code_challenge_method": "S256"}

    def fields(self) -> dict[str, Secret]:
        """Return the form fields that are sent with the code."""
        return {"code_verifier": self._verifier}


def authorize_url(
    base_url: str, credentials: Credentials, redirect_uri: str, state: str | None, proof: Proof | None = None
) -> AuthorizeUrl:
    """Return the URL at which a user logs in, with a new state unless one is given."""
    state = secrets.token_urlsafe(32) if state is None else validation.text("state", state)
    query = {
        "client_id": credentials.client_id,
        "redirect_uri": redirect_uri,
        "scope": "",
        "response_type": "code",
        "state": state,
        **(proof.challenge() if proof else {}),
    }
    url = AuthorizeUrl(f"{base_url}/authorize?{urlencode(query)}")
    url.state = state
    return url


class Redirect:
    """The URL that a login redirected the browser to. It may contain a code."""

    __slots__ = ("_code", "_query")

    def __init__(self, url: str) -> None:
        # `urlsplit` would raise on some pasted lines.
        self._query = dict(parse_qsl(url.strip().partition("?")[2].partition("#")[0]))
        self._code = Secret.of(self._query.pop("code", None))

    def answers(self, state: str) -> bool:
        """Return whether this is the result, success or error, of the login with this state."""
        return self._is_result() and hmac.compare_digest(_bytes(self._query.get("state", "")), _bytes(state))

    def _is_result(self) -> bool:
        return self._code is not None or "error" in self._query

    def code(self, state: str) -> Secret:
        """Return the code, which can be exchanged for a token.

        Args:
            state: The state of the login.

        Raises:
            LoginError: The URL is not the result of this login, or the login was refused.
        """
        if not self._is_result():
            raise exceptions.LoginError("this is not the URL that the login ended at: it has neither code nor error")
        # Results of another login must be rejected, errors included.
        if not self.answers(state):
            raise exceptions.LoginError("the redirect has another state: it belongs to another login")
        if self._code is None or "error" in self._query:
            self._refused(self._query["error"])
        if not validation.is_encodable(self._code.reveal()):
            raise exceptions.LoginError("this is not the URL that the login ended at: its code is not valid text")
        return self._code

    def _refused(self, error: str) -> NoReturn:
        details = [self._query[name] for name in ("error_description", "hint", "message") if name in self._query]
        # The URL is untrusted input.
        escaped = map(escaping.log, [error, *details[:1]])
        raise exceptions.LoginError(": ".join(["the login was refused", *escaped]), error=error)

    def __repr__(self) -> str:
        return "Redirect(***)"


def _bytes(text: str) -> bytes:
    # Text from a terminal may contain surrogates, which UTF-8 can't encode.
    return text.encode(errors="backslashreplace")


def checked_redirect_uri(redirect_uri: str) -> str:
    """Return the redirect URI. Raises `ValueError` if it is not an absolute URI."""
    parts = urlsplit(validation.text("redirect_uri", redirect_uri))
    if not parts.scheme or not (parts.netloc or parts.path) or parts.fragment:
        raise validation.refuse("redirect_uri", redirect_uri, "an absolute URI without a fragment")
    return redirect_uri


def loopback(redirect_uri: str, port: int | None) -> str:
    """Return the redirect URI, with another port if one is given. Raises `ValueError` if it is not a local one."""
    parts = urlsplit(redirect_uri)
    if parts.scheme != "http" or parts.hostname not in validation.LOOPBACK:
        raise validation.refuse("redirect_uri", redirect_uri, "a plain http URI of localhost, as login() listens there")
    if port is None:
        return redirect_uri
    host = "[::1]" if parts.hostname == "::1" else parts.hostname
    return parts._replace(netloc=f"{host}:{validation.integer('port', port, 1, 65535)}").geturl()


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def token_request(base_url: str, credentials: Credentials, grant_type: str, **fields: str | Secret) -> HttpRequest:
    """Return the request for a token. Doesn't check its fields; `HttpRequest.check` does."""
    form = Form({"grant_type": grant_type, **credentials.fields(), **fields})
    return HttpRequest(f"{base_url}/token", method="POST", form=form)


def user_request(base_url: str, credentials: Credentials) -> HttpRequest:
    """Return the request for the user of a token."""
    return HttpRequest(f"{base_url}/user", credentials)


# ── responses ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def app_token(body: bytes) -> AppToken:
    """Read the token of an application."""
    return _token(body, AppToken)


def user_token(body: bytes) -> UserToken:
    """Read the token of a user."""
    return _token(body, UserToken)


class _Life(msgspec.Struct):
    """The lifetime field of a token response."""

    expires_in: int


def _token(body: bytes, model: type[TokenT]) -> TokenT:
    raw = errors.json(body)
    try:
        life = msgspec.convert(raw, _Life, strict=False)
        expires_at = datetime.now(UTC) + timedelta(seconds=life.expires_in)
        return msgspec.convert({**raw, "expires_at": expires_at}, model, strict=False)
    except (msgspec.ValidationError, OverflowError) as cause:
        reason = str(cause)
    raise exceptions.DecodeError(f"not a token: {reason}", model=model.__name__)


# ── renewal ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def pair_of(token: Secret | UserToken | None, refresh_token: Secret | None) -> UserToken:
    """Return the pair that a client starts with.

    The expiry of a bare token is read from it if it is a JWT. Otherwise it counts as never.

    Raises:
        TypeError: A part isn't a string.
    """
    for name, secret in (("token", token), ("refresh_token", refresh_token)):
        if isinstance(secret, Secret):
            secret.check(name)
    if isinstance(token, UserToken):
        return replace(token, refresh_token=refresh_token.reveal()) if refresh_token else token
    expires_in, expires_at = _life_of(token) or (0, NEVER)
    return UserToken(
        access_token=token.reveal() if token else "",
        refresh_token=refresh_token.reveal() if refresh_token else "",
        expires_in=expires_in,
        expires_at=expires_at,
    )


def pair_of_environment(application: Credentials) -> tuple[UserToken, Credentials]:
    """Return the pair from the environment and the application that renews it.

    Args:
        application: The caller's application. It takes precedence over the one in the environment.
    """
    # Not `os.environ.get`: its repr contains the whole environment, and a traceback may show it.
    pair = pair_of(Secret.of(os.getenv("SCAPI_USER_TOKEN")), Secret.of(os.getenv("SCAPI_REFRESH_TOKEN")))
    if pair.refresh_token and application.is_empty:
        id_and_secret = Credentials(
            client_id=os.getenv("SCAPI_CLIENT_ID"), client_secret=os.getenv("SCAPI_CLIENT_SECRET")
        )
        return pair, id_and_secret
    return pair, application


def bearer(token: Secret | UserToken) -> Credentials:
    """Return the token as credentials, unchecked."""
    return Credentials(token=token.access_token if isinstance(token, UserToken) else token)


def check_renewable(pair: UserToken, application: Credentials) -> None:
    """Check whether a client can renew its token.

    Raises:
        CredentialsError: The refresh token or a part of the application is missing.
        TypeError: The refresh token isn't a string.
        ValueError: The refresh token can't be encoded as UTF-8.
    """
    if not validation.is_encodable(Secret(pair.refresh_token).check("refresh_token").reveal()):
        raise ValueError("refresh_token must be text that can be written as UTF-8")
    application.check_pair()
    if not pair.refresh_token:
        raise exceptions.CredentialsError("a token is renewed with its refresh_token, which is missing")


class _Claims(msgspec.Struct):
    """The claims of a JWT that determine its lifetime."""

    exp: float
    iat: float | None = None


def _life_of(token: Secret | None) -> tuple[int, datetime] | None:
    """Return the lifetime of a JWT in seconds and its expiry. The signature is not checked; the server does that."""
    try:
        payload = token.reveal().split(".")[1] if token else ""
        claims = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Claims)
        expires_at = datetime.fromtimestamp(claims.exp, UTC)
    except (AttributeError, IndexError, ValueError, OverflowError, OSError, msgspec.MsgspecError):
        return None
    return int(claims.exp - (claims.exp if claims.iat is None else claims.iat)), expires_at


def is_due(token: UserToken, now: datetime) -> bool:
    """Return whether to renew a token: a minute before it expires, or a tenth of its lifetime if that is less."""
    early = min(EARLY, max(token.expires_in, 0) * EARLY_SHARE)
    return now >= shifted(token.expires_at, -timedelta(seconds=early))


def refused(error: exceptions.RequestError) -> exceptions.UnauthorizedError:
    """Return the error for a call that failed because the server refused to renew its token."""
    return exceptions.UnauthorizedError(
        f"the token could not be renewed: {error.message}",
        status=error.status,
        method=error.method,
        url=error.url,
        data=error.data,
        headers=error.headers,
    )
