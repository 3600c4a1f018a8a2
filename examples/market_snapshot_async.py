"""What some items cost now: the cheapest lot of each against what was paid for it lately.

The cheapest piece may be in any lot, so all of them are read: the first page has the oldest. The API can't sort by the
price per piece, and lists some lots after they ended.

SCAPI_TOKEN=... python examples/market_snapshot_async.py zyv9 kqgy 319k
python examples/market_snapshot_async.py zyv9 kqgy 319k --fake
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

from scapi import AppClient
from scapi.exceptions import BadRequestError
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from scapi.models import AuctionLot, AuctionPrice

Market = dict[str, tuple[list["AuctionLot"], list["AuctionPrice"]]]


async def snapshot(items: list[str]) -> Market:
    """The lots and the latest sales of each item; one that the server doesn't know is left out."""
    async with AppClient.from_env() as client:
        sold = client.auctions(items).price_history(limit=100, on_error="yield")
        sales = {found.key: found async for found in sold}
        # Any other error is raised here: what could not be fetched is not the same as what is not there.
        known = [item for item in items if not isinstance(sales[item].error, BadRequestError)]
        return {item: ([lot async for lot in client.auction(item).iter_lots()], sales[item].unwrap()) for item in known}


def show(market: Market, now: datetime) -> None:
    for item, (listed, sales) in sorted(market.items()):
        lots = [lot for lot in listed if lot.end_time > now]
        offers = [lot.unit_price for lot in lots if lot.unit_price is not None]
        cheapest = f"{min(offers):,.0f}" if offers else "-"
        usual = f"{median(sale.unit_price for sale in sales):,.0f}" if sales else "-"
        print(f"{item:8} {len(lots):4} lots  from {cheapest:>12}  sold for {usual:>12}")


def main(items: list[str], now: datetime) -> None:
    show(asyncio.run(snapshot(items)), now)


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--fake"]
    if "--fake" not in sys.argv:
        main(arguments, datetime.now(UTC))
    else:
        fake = FakeApi(limit=100_000)
        # Its clock stands, so that every run shows the same.
        with fake.serve(run_clock=False) as url:
            os.environ.update(SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
            main(arguments, fake.now)
