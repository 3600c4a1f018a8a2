"""A collector that `benchmarks.kill` kills: `run` for as long as it lives, or `once`."""

from __future__ import annotations

import asyncio
import os
import sys
import warnings

from scapi import AppClient, Collector, Store
from scapi.pacing import PostgresBudget


async def main(how: str, url: str, token: str, database: str, *items: str) -> None:
    # What `scapi collect` does.
    is_shared = "://" in database and "SCAPI_REDIS_URL" not in os.environ
    budget = PostgresBudget(database) if is_shared else None
    async with AppClient(token=token, base_url=url, region="ru", budget=budget) as client, Store(database) as store:
        # Leases as short as can be: the next process goes on where this one was killed.
        collector = Collector(client, store, items, sales=1.0, since="all", lease=1.0)
        print("begins", flush=True)
        await (collector.once() if how == "once" else collector.run())


if __name__ == "__main__":
    warnings.simplefilter("error")
    asyncio.run(main(*sys.argv[1:]))
