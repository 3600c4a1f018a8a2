"""The commands `login`, `whoami` and `logout`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from scapi._base import escaping
from scapi.cli import login_store, tables
from scapi.cli.command import connected_command
from scapi.cli.models import Account
from scapi.cli.output import Answer, single

if TYPE_CHECKING:
    from scapi.cli.connection import Connection

__all__ = ["login", "logout", "whoami"]


@connected_command
@click.option("--no-browser", is_flag=True, help="Print the URL, and read the address at which the login ended.")
@click.option("--port", type=int, metavar="N", help="The port of the redirect URI; 8723 by default.")
def login(connection: Connection, *, no_browser: bool, port: int | None) -> Answer[Account]:
    """Log in with the browser and save the token.

    You log in to the application of SCAPI_CLIENT_ID and SCAPI_CLIENT_SECRET. It must be registered with the redirect
    URI http://localhost:8723/callback.
    """
    application = connection.application
    token = connection.oauth(application).login(open_browser=not no_browser, port=port, ask=_ask)
    where = connection.keep(login_store.Login(token=token, **application))
    kept = "The fake forgets the token when this command ends." if where is None else f"Kept in {where}."
    click.echo(escaping.terminal(kept), err=True)
    return single(_account(connection), tables.account)


def _ask(prompt: str) -> str:
    """Read a line from the user. `input` would prompt on stdout, where the data goes."""
    click.echo(prompt, err=True, nl=False)
    if line := sys.stdin.readline():
        return line
    raise EOFError("the input has ended")


@connected_command
def whoami(connection: Connection) -> Answer[Account]:
    """Show who is logged in, until when, and with which characters."""
    return single(_account(connection), tables.account)


def _account(connection: Connection) -> Account:
    # First, because this call renews a token that is about to expire.
    characters = connection.user.characters()
    login = connection.login
    oauth = connection.oauth({"client_id": login.client_id, "client_secret": login.client_secret})
    return Account(
        login=oauth.validate_user_token(login.token).login,
        expires_at=login.token.expires_at,
        characters=[character.info.name for character in characters],
    )


@click.command()
def logout() -> None:
    """Remove the saved token. The server keeps it valid until it expires."""
    click.echo("Logged out." if login_store.forget() else "Nobody was logged in.", err=True)
