"""A month of an artefact, by quality: what it sold for, how often, and how its lots compare.

SCAPI_TOKEN=... python examples/artefact_month_async.py market.db kqgy
python examples/artefact_month_async.py market.db kqgy --fake
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from scapi import AppClient, Collector, Store
from scapi.testing import FakeApi


async def show(file: str, item: str) -> None:
    """Collect a month of sales and the lots of today, and print them by quality."""
    async with AppClient.from_env() as client, Store(file) as store:
        await Collector(client, store, [item], lots="1h", since="30d").once()
        offered: dict[int, list[float]] = {}
        for lot in await store.book(item):
            if lot.unit_price is not None:
                offered.setdefault(lot.quality or 0, []).append(lot.unit_price)
        print(f"{'quality':12} {'sales':>6} {'p10':>12} {'median':>12} {'p90':>12} {'cheapest lot':>14}")
        for row in await store.stats(item, since="30d", by=["quality"]):
            assert row.quality is not None
            cheapest = min(offered.get(row.quality, []), default=None)
            prices = f"{row.p10:12,.0f} {row.median:12,.0f} {row.p90:12,.0f}"
            lot_price = "-" if cheapest is None else f"{cheapest:,.0f}"
            print(f"{row.quality.name.lower():12} {row.count:6} {prices} {lot_price:>14}")


def main(file: str, item: str) -> None:
    asyncio.run(show(file, item))


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--fake"]
    if "--fake" not in sys.argv:
        main(*arguments)
    else:
        fake = FakeApi(clock=time.time, limit=100_000)
        with fake.serve() as url:
            os.environ.update(SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
            main(*arguments)
