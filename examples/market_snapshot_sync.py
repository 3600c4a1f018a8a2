"""What some items cost now: the cheapest lot of each against what was paid for it lately.

The cheapest piece may be in any lot, so `cheapest()` reads all of them. It leaves out what can't be bought at once, and
what has ended.

SCAPI_TOKEN=... python examples/market_snapshot_sync.py zyv9 kqgy 319k
python examples/market_snapshot_sync.py zyv9 kqgy 319k --fake
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from statistics import median
from typing import TYPE_CHECKING

from scapi.exceptions import ScApiException
from scapi.sync import AppClient
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from scapi.models import AuctionLot, AuctionPrice, Listing

Market = dict[str, tuple["Listing[AuctionLot]", "Listing[AuctionPrice]"]]


def snapshot(items: list[str]) -> Market:
    """Find the cheapest lot and the latest sales of each item. One that the server doesn't know is left out."""
    with AppClient.from_env() as client:
        sold = client.auctions(items).price_history(limit=100, on_error="yield")
        # Any other error is raised here: what could not be read is not the same as what is not there.
        sales = {found.key: found.unwrap() for found in sold if found.error is None or not found.permanent}
        offers = client.auctions(list(sales)).cheapest()
        return {found.key: (found.unwrap(), sales[found.key]) for found in offers}


def show(market: Market) -> None:
    for item, (offers, sales) in sorted(market.items()):
        cheapest = f"{offers[0].unit_price:,.0f}" if offers else "-"
        usual = f"{median(sale.unit_price for sale in sales):,.0f}" if sales else "-"
        print(f"{item:8} {offers.total:4} offers  from {cheapest:>12}  sold for {usual:>12}")


def main(items: list[str]) -> None:
    show(snapshot(items))


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("items", nargs="+", metavar="item", help="the id of an item, such as zyv9")
    parser.add_argument("--fake", action="store_true", help="try it without a key")
    given = parser.parse_args()
    try:
        if not given.fake:
            main(given.items)
        else:
            fake = FakeApi(limit=100_000)
            # Its clock stands, so that every run shows the same.
            with fake.serve(run_clock=False) as url:
                os.environ.update(SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
                main(given.items)
    except ScApiException as error:
        sys.exit(str(error))
