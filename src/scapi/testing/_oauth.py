"""The OAuth server of the fake: logins that are granted immediately, one-time codes, rotating pairs of tokens."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b, sha256
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from scapi.models.tokens import UserToken
from scapi.testing._http import Reply, json_reply
from scapi.testing._random import uuid

Kind = Literal["app", "user"]
Form = dict[str, str]

YEAR = 31_536_000
CODE_LIFE = 600
"""Lifetime of a code in seconds."""


class _RefusedError(Exception):
    """A request that is answered with an OAuth error."""

    def __init__(self, status: int, error: str, description: str, hint: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.body = {
            "error": error,
            "error_description": description,
            **({"hint": hint} if hint else {}),
            "message": description,
        }


class OAuthRequest(NamedTuple):
    """A request to the server.

    Attributes:
        method: HTTP method.
        parts: The parts of the path below `/oauth`.
        query: Decoded query parameters.
        headers: Names in lower case and their values.
        body: The body as it was sent.
        now: The time of the fake's clock in seconds since the epoch.
    """

    method: str
    parts: list[str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    now: int


@dataclass(slots=True)
class _Login:
    """A code that was issued."""

    redirect_uri: str
    expires: int
    challenge: str | None = None
    pair: str | None = None


@dataclass(slots=True)
class _Pair:
    """An access token and its refresh token, which become invalid together."""

    kind: Kind
    access: str = field(repr=False)
    expires: int
    refresh: str = field(default="", repr=False)
    dead: bool = False


class OAuthServer:
    """The OAuth server of a fake. It grants every login immediately.

    Attributes:
        expires_in: Lifetime in seconds of the tokens that it issues from now on; initially a year.
        redirect_uris: The redirect URIs that are registered for the application; None allows any.
        refusal: The error that logins end with, such as `access_denied`; None grants them.
        renewals: How many pairs of tokens it has renewed.
    """

    def __init__(self, seed: int) -> None:
        """Start without tokens. The same seed issues the same tokens."""
        self.expires_in = YEAR
        self.redirect_uris: tuple[str, ...] | None = None
        self.refusal: str | None = None
        self.renewals = 0
        self._seed = seed
        self._count = 0
        self._logins: dict[str, _Login] = {}
        self._pairs: dict[str, _Pair] = {}
        self._by_refresh: dict[str, _Pair] = {}

    def __repr__(self) -> str:
        """Show how many tokens and renewals there are; never a token."""
        return f"<OAuthServer tokens={len(self._pairs)} renewals={self.renewals}>"

    def kind(self, token: str, now: int) -> Kind | None:
        """Return the kind of a token, None if it is unknown, revoked or expired."""
        pair = self._pairs.get(token)
        return None if pair is None or pair.dead or now >= pair.expires else pair.kind

    def revoke(self, token: str) -> None:
        """Make an access token invalid, as issuing a newer one does. Its refresh token stays valid.

        Raises:
            KeyError: There is no such token.
        """
        self._pairs[token].expires = 0

    def issue(self, now: datetime) -> UserToken:
        """Issue a user's token without a login.

        Args:
            now: The fake's time, `fake.now`.
        """
        answer = self._issue("user", int(now.timestamp()))
        return UserToken(**answer, expires_at=now.astimezone(UTC) + timedelta(seconds=self.expires_in))

    def answer(self, asked: OAuthRequest, *, application: tuple[str, str]) -> Reply:
        """Answer a request. `application` is the id and the secret of the application."""
        try:
            match asked.method, asked.parts:
                case "GET", ["authorize"]:
                    return self._authorize(asked.query, application[0], asked.now)
                case "POST", ["token"]:
                    return json_reply(self._token(_fields(asked), application, asked.now))
                case "GET", ["user"]:
                    return json_reply(self._user(asked))
                case _:
                    raise _RefusedError(404, "not_found", "There is nothing at this address.")
        except _RefusedError as refusal:
            return json_reply(refusal.body, refusal.status)

    # ── the login ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _authorize(self, query: Mapping[str, str], client_id: str, now: int) -> Reply:
        redirect_uri = query.get("redirect_uri", "")
        registered = self.redirect_uris is None or redirect_uri in self.redirect_uris
        # Never redirect to an unknown client or address.
        if query.get("client_id") != client_id or not urlsplit(redirect_uri).scheme or not registered:
            raise _unknown_client()
        if self.refusal is not None:
            answer = {"error": self.refusal, "error_description": "The user refused."}
        elif query.get("response_type") != "code":
            answer = {"error": "unsupported_response_type"}
        elif "code_challenge" in query and query.get("code_challenge_method") != "S256":
            answer = {"error": "invalid_request"}
        else:
            answer = {"code": self._code(redirect_uri, now, query.get("code_challenge"))}
        if "state" in query:
            answer["state"] = query["state"]
        joint = "&" if urlsplit(redirect_uri).query else "?"
        return Reply(302, {"location": f"{redirect_uri}{joint}{urlencode(answer)}"})

    def _code(self, redirect_uri: str, now: int, challenge: str | None) -> str:
        code = self._opaque("code")
        self._logins[code] = _Login(redirect_uri, now + CODE_LIFE, challenge)
        return code

    # ── tokens ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _token(self, form: Form, application: tuple[str, str], now: int) -> dict[str, Any]:
        grants: dict[str, Callable[[Form, int], dict[str, Any]]] = {
            "client_credentials": lambda form, now: self._issue("app", now),
            "authorization_code": self._by_code,
            "refresh_token": self._renewed,
        }
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            raise _RefusedError(400, "unsupported_grant_type", "This grant type is not supported.", "Check grant_type")
        if (form.get("client_id"), form.get("client_secret")) != application:
            raise _unknown_client()
        return grant(form, now)

    def _by_code(self, form: Form, now: int) -> dict[str, Any]:
        login = self._logins.get(_required(form, "code"))
        if login is None:
            raise _invalid_grant(400, "Unknown code")
        if login.pair is not None:
            # One of the two uses may be a theft, so the tokens of the first one are revoked (RFC 6749, 4.1.2).
            self._pairs[login.pair].dead = True
            raise _invalid_grant(400, "The code was used before")
        if now >= login.expires:
            raise _invalid_grant(400, "The code has expired")
        if form.get("redirect_uri") != login.redirect_uri:
            raise _invalid_grant(400, "The redirect URI is not that of the login")
        if login.challenge is not None and _challenge(form.get("code_verifier", "")) != login.challenge:
            raise _invalid_grant(400, "Failed to verify `code_verifier`")
        answer = self._issue("user", now)
        login.pair = answer["access_token"]
        return answer

    def _renewed(self, form: Form, now: int) -> dict[str, Any]:
        pair = self._by_refresh.get(_required(form, "refresh_token"))
        if pair is None or pair.dead:
            raise _invalid_grant(401, "Unknown refresh token" if pair is None else "The refresh token was used before")
        pair.dead = True
        self.renewals += 1
        return self._issue("user", now)

    def _issue(self, kind: Kind, now: int) -> dict[str, Any]:
        pair = _Pair(kind, self._jwt(kind, now), now + self.expires_in)
        self._pairs[pair.access] = pair
        answer = {"token_type": "Bearer", "expires_in": self.expires_in, "access_token": pair.access}
        if kind == "app":
            return answer
        pair.refresh = self._opaque("refresh")
        self._by_refresh[pair.refresh] = pair
        return {**answer, "refresh_token": pair.refresh}

    def _user(self, asked: OAuthRequest) -> dict[str, Any]:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self.kind(token.strip(), asked.now) != "user":
            raise _RefusedError(401, "unauthenticated", "Unauthenticated.")
        return {
            "id": 1,
            "uuid": uuid(self._seed, "account"),
            "login": "your_login",
            "display_login": None,
            "distributor": "exbo",
            "distributor_id": None,
        }

    def _opaque(self, purpose: str) -> str:
        self._count += 1
        return "def502" + blake2b(repr((self._seed, purpose, self._count)).encode()).hexdigest()

    def _jwt(self, kind: Kind, now: int) -> str:
        """Return a token that looks like the API's: a JWT, but with random data as its signature."""
        claims = {"aud": "1", "jti": self._opaque("jti")[:40], "iat": now, "nbf": now, "exp": now + self.expires_in}
        header = {"typ": "JWT", "alg": "RS256"}
        parts = header, {**claims, "sub": "1"} if kind == "user" else claims, self._opaque("signature")
        return ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


def _fields(asked: OAuthRequest) -> Form:
    if asked.headers.get("content-type", "").startswith("application/json"):
        try:
            return {str(name): str(value) for name, value in dict(json.loads(asked.body)).items()}
        except (ValueError, TypeError):
            raise _RefusedError(400, "invalid_request", "The body is not a JSON object.") from None
    return dict(parse_qsl(asked.body.decode("latin-1"), keep_blank_values=True))


def _challenge(verifier: str) -> str:
    """Return the code challenge of a verifier (RFC 7636, S256)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


def _required(form: Form, name: str) -> str:
    if not form.get(name):
        raise _RefusedError(400, "invalid_request", "A parameter is missing.", f"Check the `{name}` parameter")
    return form[name]


def _unknown_client() -> _RefusedError:
    return _RefusedError(401, "invalid_client", "Client authentication failed")


def _invalid_grant(status: int, hint: str) -> _RefusedError:
    return _RefusedError(status, "invalid_grant", "The grant is not valid", hint)
