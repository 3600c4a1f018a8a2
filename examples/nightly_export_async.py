"""Bring a store up to date and export its sales, as a job for the night: what was missed by day is made up for.

SCAPI_TOKEN=... python examples/nightly_export_async.py market.db sales.csv zyv9 kqgy
python examples/nightly_export_async.py market.db sales.csv zyv9 kqgy --fake
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


async def export(file: str, to: str, items: list[str]) -> bool:
    """Collect once, export the last 30 days, and tell whether nothing is missing."""
    async with AppClient.from_env() as client, Store(file) as store:
        done = await Collector(client, store, items, since="30d").once()
        rows = await store.export(to, items, since="30d")
        await store.prune("120d")
        gaps = await store.gaps(items)
    print(f"{done.sales} new sales, {rows} exported, {len(gaps)} gaps")
    for failure in done.failing:
        print(f"{failure.item}: {failure.error}")
    return not done.failing and not gaps


def main(file: str, to: str, items: list[str]) -> int:
    return 0 if asyncio.run(export(file, to, items)) else 1


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("file", help="the store, such as market.db")
    parser.add_argument("to", help="the file to write: .csv, .jsonl or .parquet")
    parser.add_argument("items", nargs="+", metavar="item", help="the id of an item, such as zyv9")
    parser.add_argument("--fake", action="store_true", help="try it without a key")
    given = parser.parse_args()
    try:
        if not given.fake:
            sys.exit(main(given.file, given.to, given.items))
        fake = FakeApi(clock=time.time, limit=100_000, sales=dict.fromkeys(given.items, 5000))
        with fake.serve() as url:
            os.environ.update(SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
            main(given.file, given.to, given.items)
            sys.exit(main(given.file, given.to, given.items))
    except (KeyboardInterrupt, OSError, ScApiException, ValueError) as error:
        sys.exit(str(error) or "stopped")
