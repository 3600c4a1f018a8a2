"""The calls of the doctor: what each requests, what it costs, and how to make them all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from scapi import BaseUrl
from scapi.cli.doctor.wire import Exchange, Wire
from scapi.config import Config
from scapi.exceptions import RequestError, ScApiException
from scapi.sync import AppClient, UserClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ANYBODY", "CALLS", "HOST", "ITEM", "NOBODY", "Call", "Known", "hosts", "live"]

#: An artefact, because artefacts have fields in `additional`.
ITEM = "kqgy"
#: A name that doesn't exist, to see how the API responds.
NOBODY = "scapi-doctor-404"
#: Credentials that aren't checked.
ANYBODY = "anybody"

#: The calls to hosts are named `host https://…`.
HOST = "host "


@dataclass(kw_only=True)
class Known:
    """Names and ids for the calls. They come from earlier responses; `None` as long as there is none.

    Attributes:
        region: The region of all calls.
        clan: A clan.
        foreign_clan: Another clan, probably one without a character of the user.
        leader: A character: the leader of `clan`.
        other_case: The same name with upper and lower case swapped.
        character: A character of the user.
        own_clan: The clan of a character of the user.
    """

    region: str
    clan: str | None = None
    foreign_clan: str | None = None
    leader: str | None = None
    other_case: str | None = None
    character: str | None = None
    own_clan: str | None = None

    def learn(self, exchange: Exchange) -> None:
        """Take the names and ids that the following calls need."""
        if exchange.endpoint == "clans" and exchange.result:
            self.clan, self.foreign_clan = exchange.result[0].uuid, exchange.result[-1].uuid
            self.leader = exchange.result[0].leader
            swapped = (self.leader or "").swapcase()
            self.other_case = swapped if swapped != (self.leader or "") else None
        if exchange.endpoint == "characters" and exchange.result:
            self.character = exchange.result[0].info.name
            clans = [character.clan.info.uuid for character in exchange.result if character.clan]
            self.own_clan = clans[0] if clans else None


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call to an endpoint.

    Attributes:
        name: A name for people and for recordings.
        target: Path and query, with the fields of `Known` in braces.
        points: What it probably costs.
        make: Makes the call with a client.
        needs: The fields of `Known` that it needs.
        of_user: Whether it needs a user's token.
    """

    name: str
    target: str
    points: int
    make: Callable[[Any, Known], object]
    needs: tuple[str, ...] = ()
    of_user: bool = False

    def is_possible(self, client: AppClient | UserClient, known: Known) -> bool:
        """Return whether everything is there that the call needs."""
        return (isinstance(client, UserClient) or not self.of_user) and all(getattr(known, name) for name in self.needs)


def _too_many(name: str, path: str, limit: int) -> Call:
    """Make a call with a limit above the maximum. The clients refuse it, so it goes through `get`."""
    return Call(
        name=name,
        target=f"/{{region}}/{path}?limit={limit}",
        points=4,
        make=lambda client, known: client.get(f"{known.region}/{path}", params={"limit": limit}, cost=4),
    )


#: All calls, in the order in which they are made. Each requests the largest page. An error 400 costs 4 points.
CALLS = (
    Call(name="regions", target="/regions", points=0, make=lambda client, known: client.regions()),
    Call(name="emission", target="/{region}/emission", points=1, make=lambda client, known: client.emission()),
    Call(
        name="lots",
        target=f"/{{region}}/auction/{ITEM}/lots?limit=200&additional=true",
        points=2,
        make=lambda client, known: client.auction(ITEM).lots(limit=200, additional=True),
    ),
    Call(
        name="history",
        target=f"/{{region}}/auction/{ITEM}/history?limit=200&additional=true",
        points=2,
        make=lambda client, known: client.auction(ITEM).price_history(limit=200, additional=True),
    ),
    Call(
        name="history again",
        target=f"/{{region}}/auction/{ITEM}/history?limit=200&additional=true",
        points=2,
        make=lambda client, known: client.auction(ITEM).price_history(limit=200, additional=True),
    ),
    Call(
        name="clans",
        target="/{region}/clans?limit=200",
        points=2,
        make=lambda client, known: client.clans(limit=200),
    ),
    Call(
        name="operations",
        target="/{region}/operations/sessions?limit=100",
        points=2,
        make=lambda client, known: client.operations_sessions(limit=100),
    ),
    Call(
        name="clan",
        target="/{region}/clan/{clan}/info",
        points=2,
        make=lambda client, known: client.clan(known.clan).info(),
        needs=("clan",),
    ),
    Call(
        name="profile",
        target="/{region}/character/by-name/{leader}/profile",
        points=2,
        make=lambda client, known: client.profile(known.leader),
        needs=("leader",),
    ),
    Call(
        name="profile in other case",
        target="/{region}/character/by-name/{other_case}/profile",
        points=2,
        make=lambda client, known: client.profile(known.other_case),
        needs=("other_case",),
    ),
    Call(
        name="bad item",
        target=f"/{{region}}/auction/{NOBODY}/lots?limit=1",
        points=4,
        make=lambda client, known: client.auction(NOBODY).lots(limit=1),
    ),
    Call(
        name="bad character",
        target=f"/{{region}}/character/by-name/{NOBODY}/profile",
        points=2,
        make=lambda client, known: client.profile(NOBODY),
    ),
    _too_many("too many lots", f"auction/{ITEM}/lots", 201),
    _too_many("too many clans", "clans", 201),
    _too_many("too many operations", "operations/sessions", 101),
    Call(
        name="foreign members",
        target="/{region}/clan/{foreign_clan}/members",
        points=2,
        make=lambda client, known: client.get(f"{known.region}/clan/{known.foreign_clan}/members", cost=2),
        needs=("foreign_clan",),
    ),
    Call(
        name="characters",
        target="/{region}/characters",
        points=2,
        make=lambda client, known: client.characters(),
        of_user=True,
    ),
    Call(
        name="friends",
        target="/{region}/friends/{character}",
        points=2,
        make=lambda client, known: client.friends(known.character),
        needs=("character",),
        of_user=True,
    ),
    Call(
        name="members",
        target="/{region}/clan/{own_clan}/members",
        points=2,
        make=lambda client, known: client.clan(known.own_clan).members(),
        needs=("own_clan",),
        of_user=True,
    ),
    Call(name="emission again", target="/{region}/emission", points=1, make=lambda client, known: client.emission()),
)


def live(token: str | None, **options: Any) -> Iterator[Exchange]:
    """Call the endpoints one after another, so that the headers of each response show the cost of that call.

    Args:
        token: A token, which may be a user's; `None` for the pair in the environment.
        options: Arguments of the client.
    """
    wire = Wire(httpx.HTTPTransport())
    with httpx.Client(transport=wire) as http_client:
        options = options | {"http_client": http_client, "retry": None}
        known = Known(region=str(options.get("region") or Config.REGION))
        with UserClient(token=token, **options) if token else AppClient(**options) as client:
            for call in CALLS:
                if call.is_possible(client, known):
                    exchange = wire.exchange(call.name, partial(call.make, client, known))
                    known.learn(exchange)
                    yield exchange


def hosts() -> Iterator[Exchange]:
    """Request the regions of each host of the API. This costs no points and sends no real credentials."""
    for host in (BaseUrl.PRODUCTION, BaseUrl.DEMO, BaseUrl.STALCRAFT, BaseUrl.STALCRAFT_DEMO):
        try:
            with AppClient(token=ANYBODY, base_url=host, retry=None, timeout=10) as client:
                regions = client.regions()
        except ScApiException as error:
            yield Exchange(
                endpoint=HOST + host, error=error, status=error.status if isinstance(error, RequestError) else 0
            )
        else:
            yield Exchange(endpoint=HOST + host, result=regions, status=200, body=msgspec.json.encode(regions))
