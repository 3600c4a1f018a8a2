"""Whom a command talks to, and as whom."""

from __future__ import annotations

import os
import re
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypedDict

import click
from msgspec.structs import replace

from scapi._base import escaping
from scapi._items import names
from scapi.cli import login_store
from scapi.config import Config
from scapi.enums import Realm, Region
from scapi.exceptions import CredentialsError, ItemNameError, ScApiException

if TYPE_CHECKING:
    from collections.abc import Generator

    from scapi.cli.login_store import Login
    from scapi.sync import AppClient, DatabaseLookup, OAuthClient, UserClient
    from scapi.testing import FakeApi

__all__ = ["Connection", "Place", "connect", "given"]

#: Where credentials come from. Never from arguments, which a shell keeps in its history and `ps` shows to everybody.
VARIABLES = ("SCAPI_TOKEN", "SCAPI_CLIENT_ID", "SCAPI_CLIENT_SECRET")

NO_CREDENTIALS = (
    f"no credentials: set {VARIABLES[0]}, or {' and '.join(VARIABLES[1:])}, or run scapi login; --fake needs none"
)

#: What an id of an item looks like.
ID = re.compile(r"[0-9a-z]{3,8}")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the servers are; `None` for the real ones.

    Attributes:
        api: The URL of the API.
        oauth: That of the OAuth server.
        database: That of the item database's files.
        cache: The folder for copies of the database.
        fake: The fake that serves all of these.
    """

    api: str | None = None
    oauth: str | None = None
    database: str | None = None
    cache: str | None = None
    fake: FakeApi | None = None


class Application(TypedDict):
    """The id and the secret of an application."""

    client_id: str
    client_secret: str


LIVE = Place()


class Connection:
    """The clients of one command, each opened when it is first asked for: a look at the database needs no key.

    Attributes:
        place: Where the servers are.
    """

    def __init__(self, place: Place, region: str | None, stack: ExitStack) -> None:
        self.place = place
        self._region = region
        #: The region of all calls.
        self.region = region or Config.REGION
        self._stack = stack

    @cached_property
    def client(self) -> AppClient | UserClient:
        """A client with the credentials of the environment, else with those of the saved login.

        Raises:
            CredentialsError: There are none.
        """
        from scapi.sync import AppClient

        if self.place.fake is not None:
            client = AppClient(token=self.place.fake.app_token, base_url=self.place.api, region=self._region)
        elif given():
            client = AppClient.from_env(base_url=self.place.api, region=self._region)
        else:
            return self.user
        return self._stack.enter_context(client)

    @cached_property
    def user(self) -> UserClient:
        """A client of whoever logged in. It renews the token, and saves the new one.

        Raises:
            CredentialsError: Nobody did.
        """
        from scapi.sync import UserClient

        login = self.login
        client = UserClient(
            token=login.token,
            client_id=login.client_id,
            client_secret=login.client_secret,
            on_token=lambda token: self.keep(replace(self.login, token=token)),
            oauth_url=self.place.oauth,
            base_url=self.place.api,
            region=self._region,
        )
        return self._stack.enter_context(client)

    @cached_property
    def login(self) -> Login:
        """The saved login; with the fake one that it grants.

        Raises:
            CredentialsError: There is none, or it can't be read.
        """
        if (fake := self.place.fake) is not None:
            token = fake.oauth.issue(fake.now)
            return login_store.Login(token=token, client_id=fake.client_id, client_secret=fake.client_secret)
        if (login := login_store.load()) is None:
            raise CredentialsError(NO_CREDENTIALS)
        return login

    def keep(self, login: Login) -> str | None:
        """Save a login and tell where; `None` with the fake, which forgets all tokens when the command ends."""
        self.login = login
        return login_store.save(login) if self.place.fake is None else None

    @property
    def application(self) -> Application:
        """The application that users log in to: that of the environment, or the fake's."""
        if (fake := self.place.fake) is not None:
            return {"client_id": fake.client_id, "client_secret": fake.client_secret}
        return {"client_id": os.environ.get(VARIABLES[1], ""), "client_secret": os.environ.get(VARIABLES[2], "")}

    def oauth(self, application: Application) -> OAuthClient:
        """A client of the OAuth server.

        Raises:
            CredentialsError: The application is missing, or a half of it.
        """
        from scapi.sync import OAuthClient

        return self._stack.enter_context(OAuthClient(**application, base_url=self.place.oauth))

    @cached_property
    def lookup(self) -> DatabaseLookup:
        """The item database, of the realm that the region belongs to.

        Raises:
            ImportError: The extra `names` is missing.
        """
        from scapi.sync import DatabaseLookup, GitHubClient

        russian = self.region == Region.RU
        github = self._stack.enter_context(GitHubClient(raw_url=self.place.database))
        lookup = DatabaseLookup(github, realm=Realm.RU if russian else Realm.GLOBAL, cache_dir=self.place.cache)
        return self._stack.enter_context(lookup)

    def item_id(self, text: str) -> str:
        """The id of an item that is given by its name or its id.

        What looks like an id and has a digit in it is taken for one unasked. What looks like one otherwise, such as
        `kqgy`, may be a word too: it is an id unless the database knows better.

        Raises:
            ItemNameError: The name is unknown or means several.
            ImportError: The extra `names` is missing.
        """
        if not ID.fullmatch(text):
            return self.lookup.id(text)
        if any(map(str.isdigit, text)):
            return text
        try:
            return self.lookup.id(text)
        except ItemNameError as error:
            if any(entry.score >= names.LAYOUT for entry in error.candidates):
                raise
            reason = str(error)
        except (ImportError, ScApiException) as error:
            reason = str(error)
        click.secho(escaping.terminal(f"{text} is taken for an id: {reason}"), err=True, dim=True)
        return text


def given() -> bool:
    """Whether the environment has credentials, or a part of some."""
    return any(map(os.environ.get, VARIABLES))


@contextmanager
def connect(*, fake: bool, region: str | None) -> Generator[Connection]:
    """The clients of a command; with `fake`, of a made-up API that lives as long as the block.

    Raises:
        ImportError: The fake can't be served.
    """
    with ExitStack() as stack:
        yield Connection(_fake(stack) if fake else LIVE, region, stack)


def _fake(stack: ExitStack) -> Place:
    # Not before: help, completion and wrong arguments need no server.
    from scapi.testing import FakeApi

    api = FakeApi(clock=time.time)
    url = stack.enter_context(api.serve())
    cache = stack.enter_context(tempfile.TemporaryDirectory(prefix="scapi-"))
    return Place(api=url, oauth=f"{url}/oauth", database=url, cache=cache, fake=api)
