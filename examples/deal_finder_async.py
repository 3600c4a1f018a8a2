"""Tell the deals among the lots as they turn up: what costs less than its own quality and level sells for.

The collector keeps the market in a store; the store compares, and tells each deal once, also after a restart.

SCAPI_TOKEN=... python examples/deal_finder_async.py market.db zyv9 kqgy
python examples/deal_finder_async.py market.db zyv9 kqgy --fake
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter

from scapi import AppClient, Collector, Store
from scapi.exceptions import ScApiException
from scapi.testing import FakeApi


async def find(file: str, items: list[str], *, once: bool) -> None:
    """Collect the items, and print each deal when it is found."""
    async with AppClient.from_env() as client, Store(file) as store:

        async def tell(_: object = None) -> None:
            for deal in await store.deals(items, below=0.8, fee=0.05, min_sales=5, since="90d", recipient="printer"):
                print(f"{deal.item} +{deal.level} {deal.quality.name.lower()}: {deal.buyout_price:,}", end=", ")
                print(f"{1 - deal.share:.0%} below {deal.median:,.0f} a piece, {deal.profit:,.0f} to earn")

        collector = Collector(client, store, items, sales="5m", lots="1m", since="90d", on_lot=tell)
        if once:
            done = await collector.once()
            print(done.sales, "sales and", done.lots, "lots")
            await tell()
        else:
            await collector.run()


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("file", help="the store, such as market.db")
    parser.add_argument("items", nargs="+", metavar="item", help="the id of an item, such as zyv9")
    parser.add_argument("--fake", action="store_true", help="try it without a key")
    given = parser.parse_args()
    try:
        if not given.fake:
            asyncio.run(find(given.file, given.items, once=False))
        else:
            fake = FakeApi(clock=time.time, limit=100_000, sales=dict.fromkeys(given.items, 3000))
            fake.list_lot(given.items[0], amount=1, buyout_price=1, additional={"qlt": 0})
            with fake.serve() as url:
                os.environ.update(SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
                asyncio.run(find(given.file, given.items, once=True))
    except (KeyboardInterrupt, ScApiException) as error:
        sys.exit(str(error) or "stopped")
