"""Tell the deals among the lots as they turn up: what costs less than its own quality and level sells for.

The collector keeps the market in a store; the store compares, and tells each deal once, also after a restart.

SCAPI_TOKEN=... python examples/deal_finder_sync.py market.db zyv9 kqgy
python examples/deal_finder_sync.py market.db zyv9 kqgy --fake
"""

from __future__ import annotations

import os
import sys
import time

from scapi.sync import AppClient, Collector, Store
from scapi.testing import FakeApi


def find(file: str, items: list[str], *, once: bool) -> None:
    """Collect the items, and print each deal when it is found."""
    with AppClient.from_env() as client, Store(file) as store:

        def tell(_: object = None) -> None:
            for deal in store.deals(items, below=0.8, fee=0.05, min_sales=5, since="90d", recipient="printer"):
                print(f"{deal.item} +{deal.level} {deal.quality.name.lower()}: {deal.buyout_price:,}", end=", ")
                print(f"{1 - deal.share:.0%} below {deal.median:,.0f} a piece, {deal.profit:,.0f} to earn")

        collector = Collector(client, store, items, sales="5m", lots="1m", since="90d", on_lot=tell)
        if once:
            done = collector.once()
            print(done.sales, "sales and", done.lots, "lots")
            tell()
        else:
            collector.run()


def main(file: str, *items: str, once: bool = False) -> None:
    find(file, list(items), once=once)


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--fake"]
    if "--fake" not in sys.argv:
        main(*arguments)
    else:
        fake = FakeApi(clock=time.time, limit=100_000, sales=dict.fromkeys(arguments[1:], 3000))
        lot = fake.list_lot(arguments[1], amount=1, buyout_price=1, additional={"qlt": 0})
        with fake.serve() as url:
            os.environ.update(SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
            main(*arguments, once=True)
