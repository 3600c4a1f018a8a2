"""Keep the sales of some items in a file: the first run reads all there are, every later one only what is new.

A sale may turn up late, below others that are newer. So the half hour before the newest known one is read again, and
what is known of it is left out by `key()`, which is the same in whatever order the server gives the details of a sale.
Equal sales are different sales, which is why they are counted.

SCAPI_TOKEN=... python examples/collect_sales_async.py sales.jsonl zyv9 kqgy 319k
python examples/collect_sales_async.py sales.jsonl zyv9 kqgy 319k --fake
"""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from scapi import AppClient, files
from scapi.exceptions import ScApiException
from scapi.models import SALES_OVERLAP, AuctionPrice
from scapi.testing import FakeApi


async def collect(file: Path, items: list[str]) -> int:
    """Add the new sales of the items to the file, and return how many."""
    lines = whole_lines(file)
    known, new = recent_sales(lines), list[str]()
    since = {item: newest - SALES_OVERLAP for item, (newest, _) in known.items()}
    left = {item: keys for item, (_, keys) in known.items()}
    async with AppClient.from_env() as client:
        # An item that is named twice is kept once.
        pages = client.auctions(list(dict.fromkeys(items))).iter_price_history(since=since, additional=True)
        async for page in pages:
            for sale in page.unwrap():
                if page.key in left and left[page.key][sale.key()]:
                    left[page.key][sale.key()] -= 1
                else:
                    new.append(msgspec.json.encode({"item": page.key, **msgspec.to_builtins(sale)}).decode())
    # All at once, and oldest first: no end that is cut off may leave a newest time with a gap below it.
    files.write_text(file, "".join(f"{line}\n" for line in (*lines, *reversed(new))))
    return len(new)


def whole_lines(file: Path) -> list[str]:
    """The lines of the file, without one at the end that another program or a full disk cut off."""
    lines = file.read_text(encoding="utf-8").split("\n") if file.exists() else [""]
    return lines[:-1]


def recent_sales(lines: list[str]) -> dict[str, tuple[datetime, Counter[int]]]:
    """The time of the newest sale of each item, and the keys of those that will be read again."""
    sold: dict[str, list[AuctionPrice]] = {}
    for line in lines:
        row = msgspec.json.decode(line)
        sold.setdefault(row["item"], []).append(msgspec.convert(row, AuctionPrice))
    newest = {item: max(sale.time for sale in sales) for item, sales in sold.items()}
    return {
        item: (newest[item], Counter(sale.key() for sale in sales if sale.time > newest[item] - SALES_OVERLAP))
        for item, sales in sold.items()
    }


def main(file: Path, items: list[str]) -> None:
    print(asyncio.run(collect(file, items)), "new sales")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the file of sales, such as sales.jsonl")
    parser.add_argument("items", nargs="+", metavar="item", help="the id of an item, such as zyv9")
    parser.add_argument("--fake", action="store_true", help="try it without a key")
    given = parser.parse_args()
    try:
        if not given.fake:
            main(given.file, given.items)
        else:
            fake = FakeApi(limit=100_000, sales=dict.fromkeys(given.items, 1000), reorder=True)
            with fake.serve() as url:
                os.environ.update(SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
                main(given.file, given.items)
                fake.sell(given.items[0], 2)
                fake.sell(given.items[0], time=fake.now - timedelta(minutes=10))
                main(given.file, given.items)
    except (OSError, ScApiException) as error:
        sys.exit(str(error))
    except msgspec.MsgspecError as error:
        sys.exit(f"{given.file} is no file of sales: {error}")
