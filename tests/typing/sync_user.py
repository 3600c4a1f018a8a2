"""A user's program, as type checkers see it. Its twin of the other world has to say the same."""

from datetime import datetime, timedelta
from typing import Any, assert_type

import httpx
import pandas as pd
import polars as pl
import pyarrow as pa

from scapi.enums import Alliance, ClanRank, Quality, StatType
from scapi.sync import (
    AppClient,
    BaseUrl,
    Config,
    Listing,
    OperationsMap,
    Order,
    RateLimit,
    Region,
    Retry,
    SortAuction,
    UserClient,
    exceptions,
    models,
)


def public(client: AppClient) -> None:
    assert_type(client.regions(), list[models.RegionInfo])
    emission = client.emission(region=Region.EU)
    assert_type(emission, models.EmissionState)
    assert_type(emission.current_start, datetime | None)
    assert_type(emission.active, bool)
    profile = client.profile("ZIV", "eu")
    assert_type(profile, models.CharacterProfile)
    assert_type(profile.alliance, Alliance | None)
    assert_type(profile.clan, models.ClanAffiliation | None)
    assert_type(profile.stats[0].type, StatType | None)
    assert_type(profile.stats[0].value, Any)
    assert_type(client.clans(limit=5, offset=0, region="na"), Listing[models.ClanInfo])
    clan = client.clan("c")
    assert_type(clan.info(), models.ClanInfo)
    assert_type(client.ratelimit, RateLimit)
    assert_type(client.ratelimit.remaining, int | None)


def auction(client: AppClient) -> None:
    lots = client.auction("zyv9", region="ru").lots(
        limit=3, offset=1, sort=SortAuction.BUYOUT_PRICE, order=Order.ASCENDING, additional=True, region=Region.NA
    )
    assert_type(lots, Listing[models.AuctionLot])
    assert_type(lots.total, int)
    assert_type(lots.has_more, bool)
    assert_type(lots.rejected, list[models.Rejected])
    lot = lots[0]
    assert_type(lot, models.AuctionLot)
    assert_type(lot.current_price, int | None)
    assert_type(lot.quality, Quality | None)
    assert_type(lot.upgrade_level, int)
    assert_type(lot.unit_price, float | None)
    assert_type(lot.additional, dict[str, Any])
    history = client.auction("zyv9").price_history(limit=3, offset=0, additional=False)
    assert_type(history, Listing[models.AuctionPrice])
    assert_type([sale.unit_price for sale in history], list[float])


def operations(client: UserClient) -> None:
    sessions = client.operations_sessions(
        limit=3,
        offset=0,
        sort="difficulty",
        order="desc",
        map=OperationsMap.SHOCK_THERAPY,
        username="ZIV",
        before=datetime.now().astimezone(),
        after="2025-12-01T00:00:00Z",
        region="eu",
    )
    assert_type(sessions, Listing[models.OperationSession])
    assert_type(sessions[0].map, OperationsMap)
    assert_type(sessions[0].duration_seconds, float | None)
    assert_type([player.username for player in sessions[0].participants], list[str | None])


def personal(client: UserClient) -> None:
    assert_type(client.characters(), list[models.Character])
    assert_type(client.friends("ZIV", region="eu"), list[str])
    members = client.clan("c", "ru").members()
    assert_type(members, list[models.ClanMember])
    assert_type(members[0].rank, ClanRank | None)
    assert_type(client.clan("c").info(), models.ClanInfo)


def whole_lists(client: AppClient) -> None:
    for lot in client.auction("zyv9").iter_lots(limit=10, sort="time_left", order=Order.DESCENDING):
        assert_type(lot, models.AuctionLot)
    for sale in client.auction("zyv9").iter_price_history("2026-08-19T12:00:00Z", additional=True):
        assert_type(sale, models.AuctionPrice)
    walk = client.auction("zyv9").iter_price_history(timedelta(days=7), until="36h", resume=None)
    assert_type(walk.state, models.SalesWalkState)
    assert_type(models.SalesWalkState.from_json(walk.state.to_json()), models.SalesWalkState)
    assert_type(client.auction("zyv9").cheapest(2), Listing[models.AuctionLot])
    for clan in client.iter_clans(region="eu"):
        assert_type(clan, models.ClanInfo)
    for session in client.iter_operations_sessions(map="big_cleanup"):
        assert_type(session, models.OperationSession)


def watchers(client: AppClient) -> None:
    emissions = client.watch_emission("ru", interval=20, state=models.EmissionWatchState.from_json("{}"))
    assert_type(emissions.state, models.EmissionWatchState)
    for event in emissions:
        assert_type(event, models.EmissionEvent | models.WatchError)
        if event.kind == "error":
            assert_type(event.error, exceptions.ScApiException)
        else:
            assert_type(event.state, models.EmissionState)
    for change in client.auction("zyv9").watch_lots(where=lambda lot: lot.amount > 1):
        if change.kind != "error":
            assert_type(change.lot, models.AuctionLot)
    sales = client.auction("zyv9").watch_sales("2026-08-19T12:00:00Z", on_failure=print)
    assert_type(sales.state.to_json(), str)
    assert_type(sales.state, models.SalesWatchState)
    for sold in sales:
        if sold.kind == "sold":
            assert_type(sold.sale, models.AuctionPrice)
    sales.close()
    many = client.auctions(["zyv9"], ["ru", Region.EU]).watch_lots(priority="low")
    assert_type(many.state, models.BulkLotsWatchState)
    for found in many:
        assert_type(found, models.LotEvent | models.WatchError)
        if found.kind == "error":
            assert_type(found.item_id, str | None)
        else:
            assert_type((found.region, found.item_id, found.lot), tuple[str, str, models.AuctionLot])


def many_keys(client: AppClient) -> None:
    for page in client.auctions({"zyv9", "kqgy"}, region="ru").lots(limit=5, concurrency=2, on_error="yield"):
        assert_type(page, models.BulkResult[models.Listing[models.AuctionLot]])
        assert_type(page.value, models.Listing[models.AuctionLot] | None)
        assert_type(page.error, Exception | None)
        if page.error is None:
            assert_type(page, models.BulkValue[models.Listing[models.AuctionLot]])
            assert_type(page.value, models.Listing[models.AuctionLot])
        else:
            assert_type(page.error, Exception)
            assert_type(page.permanent, bool)
        if page.error is not None:
            assert_type(page, models.BulkError)
        else:
            assert_type(len(page.value), int)
    for sales in client.auctions(["zyv9"]).iter_price_history(since={"zyv9": "2026-08-19T12:00:00Z"}):
        assert_type(sales.unwrap(), models.Listing[models.AuctionPrice])
    errors: list[models.BulkResult[Any]] = []
    lots = client.auctions(["zyv9"]).lots(on_error="yield")
    assert_type(lots.to_polars(flatten=True, errors=errors), pl.DataFrame)
    assert_type(client.auctions(["zyv9"]).price_history().to_arrow(), pa.Table)
    assert_type(client.auction("zyv9").iter_price_history().to_pandas(), pd.DataFrame)
    assert_type(client.iter_operations_sessions().to_dicts(explode=True), list[dict[str, Any]])
    whole = client.auctions(["zyv9"]).iter_price_history("7d", until=timedelta(hours=1))
    assert_type(whole.state, models.BulkWalkState)
    for result in client.auctions(["zyv9"]).cheapest(3, where=lambda lot: lot.amount == 1):
        assert_type(result.unwrap(), models.Listing[models.AuctionLot])
    for found in client.profiles(iter(["Somebody"])):
        assert_type(found.unwrap(), models.CharacterProfile)


def construction() -> None:
    with AppClient(token="t", region="eu", timeout=5, retry=Retry(attempts=2), pace="even") as client:
        assert_type(client, AppClient)
    with AppClient(client_id="i", client_secret="s", base_url=BaseUrl.DEMO, http_client=httpx.Client()):
        pass
    assert_type(AppClient.from_env(region=Region.SEA, queue_timeout=1.0), AppClient)
    assert_type(AppClient.demo(retry=None, pace=False), AppClient)
    assert_type(AppClient(token="t", priority="low", reserve=0.2).with_options(priority="high"), AppClient)
    assert_type(UserClient.demo(), UserClient)
    assert_type(UserClient.from_env(on_token=print), UserClient)
    assert_type((AppClient(), UserClient()), tuple[AppClient, UserClient])
    client.close()


def failures(client: AppClient) -> None:
    try:
        client.emission()
    except exceptions.RateLimitError as error:
        assert_type(error.retry_after, float)
    except exceptions.RequestError as error:
        assert_type((error.status, error.message, error.url), tuple[int, str, str])
        assert_type(error.headers, dict[str, str])
    except exceptions.DecodeError as error:
        assert_type((error.body, error.path, error.model), tuple[bytes, str, str])


def raw(json: bool) -> None:
    """With `json=True` results are plain JSON, and no annotation says anything else."""
    client = AppClient(token="t", json=True)
    assert_type(client, AppClient[bool])
    assert_type(client.emission("eu"), Any)
    assert_type(client.auction("zyv9").lots(limit=1), Any)
    assert_type(client.clan("c").info(), Any)
    for lot in client.auction("zyv9").iter_lots():
        assert_type(lot, Any)
    for page in client.auctions(["zyv9"]).lots():
        assert_type(page, Any)
    assert_type(AppClient(token="t", json=json).emission(), Any)
    assert_type(AppClient.from_env(json=True).clans(), Any)
    assert_type(AppClient.demo(json=True, timeout=5).regions(), Any)
    user = UserClient(token="t", json=True)
    assert_type(user.characters(), Any)
    assert_type(user.clan("c").members(), Any)


def anything(client: AppClient, raw: AppClient[bool]) -> None:
    assert_type(client.get("ru/emission", params={"limit": 1, "at": None}, cost=1), Any)
    assert_type(client.get("ru/emission", model=models.EmissionState), models.EmissionState)
    assert_type(client.get("regions", model=list[models.RegionInfo]), list[models.RegionInfo])
    assert_type(raw.get("ru/emission", model=models.EmissionState), Any)
    client.with_options(on_response=lambda info: (info.status, info.remaining))


def views(client: AppClient, user: UserClient) -> None:
    assert_type(client.with_options(timeout=5, retry=3), AppClient)
    assert_type(client.with_options(region="eu").emission(), models.EmissionState)
    raw = client.with_options(json=True)
    assert_type(raw.emission(), Any)
    assert_type(raw.with_options(timeout=5), AppClient[bool])
    assert_type(raw.with_options(json=False).emission(), models.EmissionState)
    assert_type(user.with_options(timeout=5).characters(), list[models.Character])
    assert_type(user.with_options(json=True).characters(), Any)


def mistakes(client: AppClient, raw: AppClient[bool]) -> None:
    """What both checkers refuse: each ignore is an error as soon as it is idle."""
    client.emission(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.auction("zyv9").lots(sort="price")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    raw.clans(limit="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    raw.watch_emission()  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    AppClient(tokn="t")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    client.with_options(token="t")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


def defaults() -> None:
    assert_type(Config.REGION, Region)
    assert_type(Config.LIMIT, int)
    assert_type(Config.BASE_URL, str)
    Config.REGION, Config.LIMIT, Config.ORDER_AUCTION = "eu", 50, Order.DESCENDING
    del Config.REGION
