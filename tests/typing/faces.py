"""Names and modules of the package, as type checkers see them."""

from datetime import datetime
from typing import Any, assert_type

import scapi
import scapi.sync
from scapi import models


def errors(error: Exception) -> None:
    try:
        raise error
    except scapi.RateLimitError as refused:
        assert_type(refused, scapi.exceptions.RateLimitError)
        assert_type(refused.retry_after, float)
    except scapi.sync.ScApiException as failed:
        assert_type(failed, scapi.ScApiException)


def annotated(
    auction: scapi.AuctionEndpoint, many: scapi.sync.AuctionsEndpoint, clan: scapi.UserClanEndpoint
) -> scapi.Rows[models.AuctionLot]:
    assert_type(many.lots(), scapi.sync.Results[scapi.Listing[models.AuctionLot]])
    assert_type(auction.iter_price_history(), scapi.SaleRows)
    print_members = clan.members
    del print_members
    return auction.iter_lots()


def modules(lots: scapi.Listing[models.AuctionLot]) -> None:
    assert_type(scapi.sync.AppClient.from_env(), scapi.sync.AppClient)
    assert_type(scapi.frames.to_dicts(lots), list[dict[str, Any]])
    assert_type(scapi.testing.FakeApi(), scapi.testing.FakeApi)
    scapi.plot.order_book(lots)
    scapi.sync.plot.order_book(lots)
    assert_type(scapi.Quality(3), scapi.Quality)


def numbers(sales: scapi.Listing[models.AuctionPrice], lots: list[models.AuctionLot]) -> None:
    seen: models.RowCounts = {}
    for sale, key, n in scapi.numbered(sales, seen):
        assert_type(sale, models.AuctionPrice)
        assert_type(sale.time, datetime)
        assert_type((key, n), tuple[int, int])
    for lot in scapi.sync.numbered(lots):
        assert_type(lot, models.NumberedRow[models.AuctionLot])


def plain(lots: scapi.Listing[models.AuctionLot], token: models.UserToken) -> None:
    assert_type(lots[:3], scapi.Listing[models.AuctionLot])
    assert_type(lots[0], models.AuctionLot)
    assert_type(lots.next_offset, int | None)
    assert_type(lots.to_dict(), dict[str, Any])
    assert_type(lots.to_dict(wire=True), Any)
    assert_type(scapi.Listing.from_json(lots.to_json(), models.AuctionLot), scapi.Listing[models.AuctionLot])
    assert_type(lots[0].to_dict(wire=True), dict[str, Any])
    assert_type(models.AuctionLot.from_json(lots[0].to_json()), models.AuctionLot)
    assert_type(models.UserToken.from_json(token.to_json()), models.UserToken)


def words(lot: models.AuctionLot, member: models.ClanMember) -> None:
    if lot.quality is not None and member.rank is not None:
        assert_type(lot.quality.label("ru"), str)
        assert_type(lot.quality.color, str)
        assert_type(member.rank.label(scapi.Language.KO), str)


def game_words(sale: models.AuctionPrice, profile: models.CharacterProfile, item: models.Lookup) -> None:
    assert_type(sale.details, models.PieceDetails)
    assert_type(sale.details.charge, float | None)
    assert_type([found.label("ru") for found in sale.details.bonus_properties], list[str])
    assert_type(sale.quality_in(item.category), scapi.Quality | None)
    assert_type(sale.label(scapi.Language.RUSSIAN), str)
    assert_type(profile.stat("kil", 0), Any)
    assert_type(item.rank, scapi.enums.ItemRank | None)


async def names(database: scapi.DatabaseLookup, twin: scapi.sync.DatabaseLookup) -> None:
    assert_type(await database.names("ru", filename="stats"), dict[str, str])
    assert_type(twin.names(), dict[str, str])


def old_names() -> None:
    assert_type(scapi.Region("ru"), scapi.Region)
    regions = [scapi.Region.RUSSIA, scapi.Region.NORTH_EAST_ASIA]
    assert_type(regions, list[scapi.Region])
    orders = [scapi.Order.ASC, scapi.Order.DESC]
    assert_type(orders, list[scapi.Order])
