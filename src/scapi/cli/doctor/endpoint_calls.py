"""Call every endpoint once, on a live API or on saved responses."""

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

#: An artefact, because artefacts have fields in `additional`.
ITEM = "kqgy"
#: A name that doesn't exist, to see how the API responds.
NOBODY = "scapi-doctor-404"
#: Credentials that aren't checked.
ANYBODY = "anybody"
CLAN = "00000000-0000-0000-0000-000000000000"

Client = AppClient | UserClient


def _calls(client: Client) -> dict[str, Callable[[], Any]]:
    """Return the calls that need only a client. Each requests the largest page."""
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
    """Call the endpoints one after another, so that the headers of each response show the cost of that call.

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
    """Call the endpoints for users. With an application's token this ends at the first refusal."""
    yield (exchange := wire.exchange("characters", client.characters))
    characters: list[Character] = exchange.result or []
    if characters:
        yield wire.exchange("friends", lambda: client.friends(characters[0].info.name))
    clans = [character.clan.info.uuid for character in characters if character.clan]
    if clans:
        yield wire.exchange("members", client.clan(clans[0]).members)


def saved(folder: Path) -> Iterator[Exchange]:
    """Decode the bodies in a folder with the clients, as if the API had sent them.

    Args:
        folder: A folder with files such as `lots.json` and `history_eu.json`: the first word is the endpoint.
    """
    for path in sorted(folder.glob("*.json")):
        response = httpx.Response(200, content=path.read_bytes())
        wire = Wire(httpx.MockTransport(lambda request, response=response: response), saved=True)
        with httpx.Client(transport=wire) as http_client, UserClient(token=ANYBODY, http_client=http_client) as client:
            call = (_calls(client) | _calls_for_somebody(client)).get(path.stem.partition("_")[0])
            if call is not None:
                yield wire.exchange(path.stem.partition("_")[0], call)


def _calls_for_somebody(client: UserClient) -> dict[str, Callable[[], Any]]:
    """Return the calls that need a name or an id."""
    return {
        "profile": lambda: client.profile(NOBODY),
        "clan": lambda: client.clan(CLAN).info(),
        "members": lambda: client.clan(CLAN).members(),
        "characters": client.characters,
        "friends": lambda: client.friends(NOBODY),
    }


def hosts() -> Iterator[tuple[str, str]]:
    """Yield each host of the API, and whether it responds. This costs no points and sends no real credentials."""
    for host in (BaseUrl.PRODUCTION, BaseUrl.DEMO, BaseUrl.STALCRAFT, BaseUrl.STALCRAFT_DEMO):
        try:
            with AppClient(token=ANYBODY, base_url=host, retry=None, timeout=10) as client:
                count = len(client.regions())
        except ScApiException as error:
            yield host, str(error)
        else:
            yield host, f"answers, with {count} regions"
