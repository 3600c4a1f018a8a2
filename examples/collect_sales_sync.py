"""Keep the sales of some items in a file: the first run reads all there are, every later one only what is new.

A sale may turn up late, below others that are newer. So the half hour before the newest known one is read again, and
what is known of it is left out by `key()`, which is the same in whatever order the server gives the details of a sale.
Equal sales are different sales, which is why they are counted.

SCAPI_TOKEN=... python examples/collect_sales_sync.py sales.jsonl zyv9 kqgy 319k
python examples/collect_sales_sync.py sales.jsonl zyv9 kqgy 319k --fake
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from scapi.models import SALES_OVERLAP, AuctionPrice
from scapi.sync import AppClient
from scapi.testing import FakeApi


def collect(file: Path, items: list[str]) -> int:
    """Append the new sales of the items to the file, and tell how many."""
    known, new = recent_sales(file), list[str]()
    since = {item: newest - SALES_OVERLAP for item, (newest, _) in known.items()}
    left = {item: keys for item, (_, keys) in known.items()}
    with AppClient.from_env() as client:
        # An item that is named twice is kept once.
        pages = client.auctions(list(dict.fromkeys(items))).iter_price_history(since=since, additional=True)
        for page in pages:
            for sale in page.unwrap():
                if page.key in left and left[page.key][sale.key()]:
                    left[page.key][sale.key()] -= 1
                else:
                    new.append(msgspec.json.encode({"item": page.key, **msgspec.to_builtins(sale)}).decode())
    # Only now: a run that breaks off half-way must not leave a newest time with a gap below it.
    with file.open("a", encoding="utf-8") as lines:
        lines.writelines(f"{line}\n" for line in new)
    return len(new)


def recent_sales(file: Path) -> dict[str, tuple[datetime, Counter[int]]]:
    """The time of the newest sale of each item in the file, and the keys of those that will be read again."""
    sold: dict[str, list[AuctionPrice]] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        row = msgspec.json.decode(line)
        sold.setdefault(row["item"], []).append(msgspec.convert(row, AuctionPrice))
    newest = {item: max(sale.time for sale in sales) for item, sales in sold.items()}
    return {
        item: (newest[item], Counter(sale.key() for sale in sales if sale.time > newest[item] - SALES_OVERLAP))
        for item, sales in sold.items()
    }


def main(file: str, *items: str) -> None:
    print(collect(Path(file), list(items)), "new sales")


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--fake"]
    if "--fake" not in sys.argv:
        main(*arguments)
    else:
        fake = FakeApi(limit=100_000, sales=dict.fromkeys(arguments[1:], 1000), reorder=True)
        with fake.serve() as url:
            os.environ.update(SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
            main(*arguments)
            fake.sell(arguments[1], 2)
            fake.sell(arguments[1], time=fake.now - timedelta(minutes=10))
            main(*arguments)
