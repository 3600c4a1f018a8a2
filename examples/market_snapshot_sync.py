"""What some items cost now: the cheapest lot of each against what was paid for it lately.

SCAPI_TOKEN=... python examples/market_snapshot_sync.py zyv9 kqgy 319k
python examples/market_snapshot_sync.py zyv9 kqgy 319k --fake
"""

from __future__ import annotations

import os
import sys
from statistics import median
from typing import TYPE_CHECKING

from scapi.exceptions import BadRequestError
from scapi.sync import AppClient
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from scapi.models import AuctionLot, AuctionPrice

Market = dict[str, tuple[list["AuctionLot"], list["AuctionPrice"]]]


def snapshot(items: list[str]) -> Market:
    """The lots and the latest sales of each item; one that the server doesn't know is left out."""
    with AppClient.from_env() as client:
        auctions = client.auctions(items)
        lots = {found.key: found for found in auctions.lots(limit=200, on_error="yield")}
        sales = {found.key: found for found in auctions.price_history(limit=100, on_error="yield")}
    known = [item for item in items if not isinstance(lots[item].error, BadRequestError)]
    # Any other error is raised here: what could not be fetched is not the same as what is not there.
    return {item: (lots[item].unwrap(), sales[item].unwrap()) for item in known}


def show(market: Market) -> None:
    for item, (lots, sales) in sorted(market.items()):
        offers = [lot.unit_price for lot in lots if lot.unit_price is not None]
        cheapest = f"{min(offers):,.0f}" if offers else "-"
        usual = f"{median(sale.unit_price for sale in sales):,.0f}" if sales else "-"
        print(f"{item:8} {len(lots):4} lots  from {cheapest:>12}  sold for {usual:>12}")


def main(*items: str) -> None:
    show(snapshot(list(items)))


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--fake"]
    if "--fake" not in sys.argv:
        main(*arguments)
    else:
        fake = FakeApi()
        with fake.serve() as url:
            os.environ.update(SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
            main(*arguments)
