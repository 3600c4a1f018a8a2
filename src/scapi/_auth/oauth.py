"""OAuth without a socket: where to log in, what to send, what the answers mean.

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

#: Seconds before its expiry at which a token is renewed, but not before this share of its life is left.
EARLY, EARLY_SHARE = 60.0, 0.1

#: The statuses of a refused renewal; servers differ in which of the two it is.
REFUSALS = (400, 401)

#: What to do about a missing user token.
NO_USER = (
    "no credentials: pass token, or set SCAPI_USER_TOKEN. To have the token renewed, add refresh_token, client_id and "
    "client_secret, or SCAPI_REFRESH_TOKEN, SCAPI_CLIENT_ID and SCAPI_CLIENT_SECRET. OAuthClient gets a token; "
    "without a key, try demo() or scapi.testing.FakeApi"
)

NEVER = datetime.max.replace(tzinfo=UTC)


# ── the login ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class AuthorizeUrl(str):
    """The URL at which a user logs in.

    Attributes:
        state: What the redirect must bring back, or else it isn't the answer to this login.
    """

    __slots__ = ("state",)

    state: str


class Proof:
    """Proves that whoever hands in a code began the login (PKCE, RFC 7636).

    A server that doesn't know PKCE ignores both parts.
    """

    __slots__ = ("_verifier",)

    def __init__(self) -> None:
        self._verifier = Secret(secrets.token_urlsafe(32))

    def challenge(self) -> dict[str, str]:
        """Return the parameters that the login begins with. They don't give the proof away."""
        digest = urlsafe_b64encode(sha256(self._verifier.encode()).digest())
        return {"code_challenge": digest.decode().rstrip("="), "code_challenge_method": "S256"}

    def fields(self) -> dict[str, Secret]:
        """Return the proof, which goes with the code."""
        return {"code_verifier": self._verifier}


def authorize_url(
    base_url: str, credentials: Credentials, redirect_uri: str, state: str | None, proof: Proof | None = None
) -> AuthorizeUrl:
    """Where a user logs in; with a new state unless one is given."""
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
    """The address that a user's browser came back with. It may hold a code."""

    __slots__ = ("_code", "_query")

    def __init__(self, url: str) -> None:
        # Not `urlsplit`, which raises on some of what people paste.
        self._query = dict(parse_qsl(url.strip().partition("?")[2].partition("#")[0]))
        self._code = Secret.of(self._query.pop("code", None))

    def answers(self, state: str) -> bool:
        """Return whether this is the answer, good or bad, to the login that had this state."""
        return self._is_answer() and hmac.compare_digest(_bytes(self._query.get("state", "")), _bytes(state))

    def _is_answer(self) -> bool:
        return self._code is not None or "error" in self._query

    def code(self, state: str) -> Secret:
        """Return the code that buys a token.

        Args:
            state: The state that the login had.

        Raises:
            LoginError: The address isn't the answer to this login, or it is a refusal.
        """
        if not self._is_answer():
            raise exceptions.LoginError("this is not the URL that the login ended at: it has neither code nor error")
        # An answer to somebody else's login must not be taken for ours, be it good or bad.
        if not self.answers(state):
            raise exceptions.LoginError("the redirect has another state than this login: it was not made by it")
        if self._code is None or "error" in self._query:
            self._refused(self._query["error"])
        if not validation.is_encodable(self._code.reveal()):
            raise exceptions.LoginError("this is not the URL that the login ended at: its code is no text")
        return self._code

    def _refused(self, error: str) -> NoReturn:
        said = [self._query[name] for name in ("error_description", "hint", "message") if name in self._query]
        # Anybody can have written this address.
        told = map(escaping.log, [error, *said[:1]])
        raise exceptions.LoginError(": ".join(["the login was refused", *told]), error=error)

    def __repr__(self) -> str:
        return "Redirect(***)"


def _bytes(text: str) -> bytes:
    # A terminal may hand over what can't be written as UTF-8.
    return text.encode(errors="backslashreplace")


def checked_redirect_uri(redirect_uri: str) -> str:
    """An absolute URI, or a `ValueError`."""
    parts = urlsplit(validation.text("redirect_uri", redirect_uri))
    if not parts.scheme or not (parts.netloc or parts.path) or parts.fragment:
        raise validation.refuse("redirect_uri", redirect_uri, "an absolute URI without a fragment")
    return redirect_uri


def loopback(redirect_uri: str, port: int | None) -> str:
    """The redirect URI, on another port if one is given, or a `ValueError` if this machine can't listen there."""
    parts = urlsplit(redirect_uri)
    if parts.scheme != "http" or parts.hostname not in validation.LOOPBACK:
        raise validation.refuse("redirect_uri", redirect_uri, "a plain http URI of localhost, as login() listens there")
    if port is None:
        return redirect_uri
    host = "[::1]" if parts.hostname == "::1" else parts.hostname
    return parts._replace(netloc=f"{host}:{validation.integer('port', port, 1, 65535)}").geturl()


# ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def token_request(base_url: str, credentials: Credentials, grant_type: str, **fields: str | Secret) -> HttpRequest:
    """Return the request that hands in a grant. Nothing here raises; `HttpRequest.check` does."""
    form = Form({"grant_type": grant_type, **credentials.fields(), **fields})
    return HttpRequest(f"{base_url}/token", method="POST", form=form)


def user_request(base_url: str, credentials: Credentials) -> HttpRequest:
    """The request that asks whose token this is."""
    return HttpRequest(f"{base_url}/user", credentials)


# ── answers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def app_token(body: bytes) -> AppToken:
    """The token of an application."""
    return _token(body, AppToken)


def user_token(body: bytes) -> UserToken:
    """The token of a user."""
    return _token(body, UserToken)


class _Life(msgspec.Struct):
    """What of a token's answer tells how long it lives."""

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

    The expiry of a bare token is read from it where it is a JWT; otherwise only the server knows it.

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
    """Return the pair of the environment, and the application that renews it.

    Args:
        application: The caller's application, which counts for more than that of the environment.
    """
    # Not `os.environ.get`: its repr, which a traceback may show, is the whole environment.
    pair = pair_of(Secret.of(os.getenv("SCAPI_USER_TOKEN")), Secret.of(os.getenv("SCAPI_REFRESH_TOKEN")))
    if pair.refresh_token and application.is_empty:
        id_and_secret = Credentials(
            client_id=os.getenv("SCAPI_CLIENT_ID"), client_secret=os.getenv("SCAPI_CLIENT_SECRET")
        )
        return pair, id_and_secret
    return pair, application


def bearer(token: Secret | UserToken) -> Credentials:
    """Return the credentials that a token is, unchecked."""
    return Credentials(token=token.access_token if isinstance(token, UserToken) else token)


def check_renewable(pair: UserToken, application: Credentials) -> None:
    """Check whether a client can renew its token.

    Raises:
        CredentialsError: A part of what it takes is missing.
        TypeError: The refresh token isn't a string.
        ValueError: The refresh token can't be written as UTF-8.
    """
    if not validation.is_encodable(Secret(pair.refresh_token).check("refresh_token").reveal()):
        raise ValueError("refresh_token must be text that can be written as UTF-8")
    application.check_pair()
    if not pair.refresh_token:
        raise exceptions.CredentialsError("a token is renewed with its refresh_token, which is missing")


class _Claims(msgspec.Struct):
    """What of a JWT tells how long it lives."""

    exp: float
    iat: float | None = None


def _life_of(token: Secret | None) -> tuple[int, datetime] | None:
    """Return how many seconds a JWT lives, and until when. Its signature is the server's business."""
    try:
        payload = token.reveal().split(".")[1] if token else ""
        claims = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Claims)
        expires_at = datetime.fromtimestamp(claims.exp, UTC)
    except (AttributeError, IndexError, ValueError, OverflowError, OSError, msgspec.MsgspecError):
        return None
    return int(claims.exp - (claims.exp if claims.iat is None else claims.iat)), expires_at


def is_due(token: UserToken) -> bool:
    """Whether it is time to renew a token: a minute before its expiry, or a tenth of its life where that is less."""
    early = min(EARLY, max(token.expires_in, 0) * EARLY_SHARE)
    return datetime.now(UTC) >= shifted(token.expires_at, -timedelta(seconds=early))


def refused(error: exceptions.RequestError) -> exceptions.UnauthorizedError:
    """The error of a call whose token could not be renewed, because the server refused to."""
    return exceptions.UnauthorizedError(
        f"the token could not be renewed: {error.message}",
        status=error.status,
        method=error.method,
        url=error.url,
        data=error.data,
        headers=error.headers,
    )
