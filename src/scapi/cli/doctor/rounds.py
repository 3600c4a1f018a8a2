"""Every endpoint once: against an API that answers, or against answers that somebody saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from scapi import BaseUrl
from scapi.cli.doctor.wire import Exchange, Wire
from scapi.exceptions import ScApiException
from scapi.sync import AppClient, UserClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from scapi.models import Character

__all__ = ["hosts", "live", "saved"]

#: An artefact, so that `additional` has something to tell.
ITEM = "kqgy"
#: Nobody and nothing is called so: what does the API say of them?
NOBODY = "scapi-doctor-404"
#: Credentials where none are looked at.
ANYBODY = "anybody"
CLAN = "00000000-0000-0000-0000-000000000000"

Client = AppClient | UserClient


def _calls(client: Client) -> dict[str, Callable[[], Any]]:
    """The calls that need nothing but a client. Each asks for the longest page that there is."""
    return {
        "regions": client.regions,
        "emission": client.emission,
        "lots": lambda: client.auction(ITEM).lots(limit=200, additional=True),
        "history": lambda: client.auction(ITEM).price_history(limit=200, additional=True),
        "clans": lambda: client.clans(limit=200),
        "operations": lambda: client.operations_sessions(limit=100),
        "bad item": lambda: client.auction(NOBODY).lots(limit=1),
        "bad character": lambda: client.profile(NOBODY),
    }


def live(token: str | None, **options: Any) -> Iterator[Exchange]:
    """Call every endpoint once, in turn, so that each answer's headers tell what that one call cost.

    Args:
        token: A token, which may be a user's; `None` for the pair in the environment.
        options: Arguments of the client.
    """
    wire = Wire(httpx.HTTPTransport())
    with httpx.Client(transport=wire) as http_client:
        options = options | {"http_client": http_client, "retry": None}
        client: Client = UserClient(token=token, **options) if token else AppClient(**options)
        with client:
            clan = character = None
            for endpoint, call in _calls(client).items():
                yield (exchange := wire.exchange(endpoint, call))
                if endpoint == "clans" and exchange.result:
                    clan, character = exchange.result[0].uuid, exchange.result[0].leader
            if clan and character:
                yield wire.exchange("clan", client.clan(clan).info)
                yield wire.exchange("profile", lambda: client.profile(character))
            if isinstance(client, UserClient):
                yield from _of_the_user(client, wire)


def _of_the_user(client: UserClient, wire: Wire) -> Iterator[Exchange]:
    """What only a user may ask. With a token of an application this ends at the first refusal."""
    yield (exchange := wire.exchange("characters", client.characters))
    characters: list[Character] = exchange.result or []
    if characters:
        yield wire.exchange("friends", lambda: client.friends(characters[0].info.name))
    clans = [character.clan.info.uuid for character in characters if character.clan]
    if clans:
        yield wire.exchange("members", client.clan(clans[0]).members)


def saved(folder: Path) -> Iterator[Exchange]:
    """Read the bodies that are in a folder through the clients, as if they came over the wire.

    Args:
        folder: Holds files such as `lots.json` and `history_eu.json`: the first word is the endpoint.
    """
    for path in sorted(folder.glob("*.json")):
        response = httpx.Response(200, content=path.read_bytes())
        wire = Wire(httpx.MockTransport(lambda request, response=response: response), saved=True)
        with httpx.Client(transport=wire) as http_client, UserClient(token=ANYBODY, http_client=http_client) as client:
            call = (_calls(client) | _calls_for_somebody(client)).get(path.stem.partition("_")[0])
            if call is not None:
                yield wire.exchange(path.stem.partition("_")[0], call)


def _calls_for_somebody(client: UserClient) -> dict[str, Callable[[], Any]]:
    """The calls that need to know of somebody."""
    return {
        "profile": lambda: client.profile(NOBODY),
        "clan": lambda: client.clan(CLAN).info(),
        "members": lambda: client.clan(CLAN).members(),
        "characters": client.characters,
        "friends": lambda: client.friends(NOBODY),
    }


def hosts() -> Iterator[tuple[str, str]]:
    """The hosts of the API, and whether each one answers. It costs no points and shows no credentials."""
    for host in (BaseUrl.PRODUCTION, BaseUrl.DEMO, BaseUrl.STALCRAFT, BaseUrl.STALCRAFT_DEMO):
        try:
            with AppClient(token=ANYBODY, base_url=host, retry=None, timeout=10) as client:
                count = len(client.regions())
        except ScApiException as error:
            yield host, str(error)
        else:
            yield host, f"answers, with {count} regions"
