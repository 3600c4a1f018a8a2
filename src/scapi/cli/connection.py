"""The servers that a command talks to, and the credentials that it uses."""

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
from scapi.enums import IndexFile, Realm, Region
from scapi.exceptions import CredentialsError, ItemNameError, ScApiException, TransportError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from scapi.cli.login_store import Login
    from scapi.enums import RegionLike
    from scapi.pacing import BudgetSource
    from scapi.sync import AppClient, DatabaseLookup, OAuthClient, UserClient
    from scapi.testing import FakeApi

__all__ = ["Connection", "Endpoints", "connect", "has_env_credentials"]

#: Where credentials come from. Never from arguments: a shell keeps them in its history, and `ps` shows them.
VARIABLES = ("SCAPI_TOKEN", "SCAPI_CLIENT_ID", "SCAPI_CLIENT_SECRET")

NO_CREDENTIALS = (
    f"no credentials: set {VARIABLES[0]}, or {' and '.join(VARIABLES[1:])}, or run scapi login; --fake needs none"
)

#: How to go on if the item database can't be reached.
WITHOUT_NAMES = "names come from the item database: give the id, or with --fake the name of a made-up item"

#: What an id of an item looks like.
ID = re.compile(r"[0-9a-z]{3,8}")


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """The addresses of the servers; `None` stands for the real one.

    Attributes:
        api: The URL of the API.
        oauth: The URL of the OAuth server.
        database: The URL of the item database's files.
        cache: The folder in which files of the database are cached.
        fake: The fake that serves all of them.
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


LIVE = Endpoints()


class Connection:
    """The clients of one command. Each is opened when it is first used: the item database needs no key.

    Attributes:
        endpoints: The addresses of the servers.
    """

    def __init__(
        self, endpoints: Endpoints, region: RegionLike | None, stack: ExitStack, budget: BudgetSource | None = None
    ) -> None:
        self.endpoints = endpoints
        self._budget = budget
        self._region: RegionLike | None = region
        #: The region of all calls.
        self.region = region or Config.REGION
        self._stack = stack

    @cached_property
    def client(self) -> AppClient | UserClient:
        """A client with the credentials of the environment, otherwise with those of the saved login.

        Raises:
            CredentialsError: There are no credentials.
        """
        from scapi.sync import AppClient

        api, region, budget = self.endpoints.api, self._region, self._budget
        if self.endpoints.fake is not None:
            client = AppClient(token=self.endpoints.fake.app_token, base_url=api, region=region, budget=budget)
        elif has_env_credentials():
            client = AppClient.from_env(base_url=api, region=region, budget=budget)
        else:
            return self.user
        return self._stack.enter_context(client)

    @cached_property
    def user(self) -> UserClient:
        """A client with the saved login. It renews the token and saves the new one.

        Raises:
            CredentialsError: There is no saved login.
        """
        from scapi.sync import UserClient

        login = self.login
        client = UserClient(
            token=login.token,
            client_id=login.client_id,
            client_secret=login.client_secret,
            on_token=lambda token: self.keep(replace(self.login, token=token)),
            oauth_url=self.endpoints.oauth,
            base_url=self.endpoints.api,
            region=self._region,
            budget=self._budget,
        )
        return self._stack.enter_context(client)

    @cached_property
    def login(self) -> Login:
        """The saved login, or one that the fake grants.

        Raises:
            CredentialsError: There is none, or it can't be read.
        """
        if (fake := self.endpoints.fake) is not None:
            token = fake.oauth.issue(fake.now)
            return login_store.Login(token=token, client_id=fake.client_id, client_secret=fake.client_secret)
        if (login := login_store.load()) is None:
            raise CredentialsError(NO_CREDENTIALS)
        return login

    def keep(self, login: Login) -> str | None:
        """Save a login and return where; `None` with the fake, whose tokens end with the command."""
        self.login = login
        return login_store.save(login) if self.endpoints.fake is None else None

    def liven(self) -> None:
        """Let things happen in the fake until the command ends, because one that waits would see nothing new."""
        if self.endpoints.fake is not None:
            from scapi.testing._activity import activity

            self._stack.enter_context(activity(self.endpoints.fake))

    @property
    def application(self) -> Application:
        """The application that users log in to: from the environment, or the fake's."""
        if (fake := self.endpoints.fake) is not None:
            return {"client_id": fake.client_id, "client_secret": fake.client_secret}
        return {"client_id": os.environ.get(VARIABLES[1], ""), "client_secret": os.environ.get(VARIABLES[2], "")}

    def oauth(self, application: Application) -> OAuthClient:
        """Open a client of the OAuth server.

        Raises:
            CredentialsError: The id or the secret of the application is missing.
        """
        from scapi.sync import OAuthClient

        return self._stack.enter_context(OAuthClient(**application, base_url=self.endpoints.oauth))

    @cached_property
    def lookup(self) -> DatabaseLookup:
        """The item database, of the realm that the region belongs to.

        Raises:
            ImportError: The extra `names` is missing.
        """
        from scapi.sync import DatabaseLookup, GitHubClient

        russian = self.region == Region.RU
        github = self._stack.enter_context(GitHubClient(raw_url=self.endpoints.database))
        lookup = DatabaseLookup(github, realm=Realm.RU if russian else Realm.GLOBAL, cache_dir=self.endpoints.cache)
        return self._stack.enter_context(lookup)

    def item_id(self, text: str) -> str:
        """Return the id of an item from its name or its id.

        A text that looks like an id and has a digit is taken as an id. One without a digit, such as `kqgy`, may also
        be a word: it is taken as an id unless the database has an item of that name.

        Raises:
            ItemNameError: No item has that name, or several have it.
            TransportError: The text is no id, and the database can't be reached.
            ImportError: The extra `names` is missing.
        """
        if not ID.fullmatch(text):
            try:
                return self.lookup.id(text)
            except TransportError as error:
                raise TransportError(f"{error}; {WITHOUT_NAMES}") from error
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

    @cached_property
    def item_names(self) -> Mapping[str, str]:
        """The names of items by their ids, in the language of the region; empty if there is no database."""
        return self._names(IndexFile.LISTING)

    @cached_property
    def stat_names(self) -> Mapping[str, str]:
        """The names of statistics by their ids, in the language of the region; empty if there is no database."""
        return self._names(IndexFile.STATS)

    def _names(self, file: IndexFile) -> Mapping[str, str]:
        try:
            return self.lookup.names("ru" if self.region == Region.RU else "en", filename=file)
        except (ImportError, ScApiException) as error:
            click.secho(escaping.terminal(f"ids in place of names: {error}"), err=True, dim=True)
            return {}


def has_env_credentials() -> bool:
    """Return whether the environment has credentials, or a part of them."""
    return any(map(os.environ.get, VARIABLES))


@contextmanager
def connect(*, fake: bool, region: RegionLike | None, budget: BudgetSource | None = None) -> Generator[Connection]:
    """Open the connection of a command for a `with` block.

    Args:
        fake: Whether to serve a made-up API meanwhile, and to use that.
        region: The region of all calls; that of `Config` by default.
        budget: What shares the points of the clients; the default of clients by default.

    Raises:
        ImportError: The fake can't be served.
    """
    with ExitStack() as stack:
        yield Connection(_fake(stack) if fake else LIVE, region, stack, budget)


def _fake(stack: ExitStack) -> Endpoints:
    # Imported late: help, completion and wrong arguments need no server.
    from scapi.testing import FakeApi

    api = FakeApi(clock=time.time)
    url = stack.enter_context(api.serve())
    cache = stack.enter_context(tempfile.TemporaryDirectory(prefix="scapi-"))
    return Endpoints(api=url, oauth=f"{url}/oauth", database=url, cache=cache, fake=api)
