"""Keep the sales of some items in a file: the first run reads all there are, every later one only what is new.

Times are told to the second, and a second that has been read may get another sale. So the newest one is read again, and
what is known of it is left out: equal sales are different sales, which is why they are counted.

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

from scapi.sync import AppClient
from scapi.testing import FakeApi


def collect(file: Path, items: list[str]) -> int:
    """Append the new sales of the items to the file, and tell how many."""
    known, new = newest_sales(file), list[str]()
    since = {item: datetime.fromisoformat(time) - timedelta(seconds=1) for item, (time, _) in known.items()}
    with AppClient.from_env() as client:
        # An item that is named twice is kept once.
        pages = client.auctions(list(dict.fromkeys(items))).iter_price_history(since=since, additional=True)
        for page in pages:
            _, left = known.get(page.key, ("", Counter[str]()))
            for sale in page.unwrap():
                line = msgspec.json.encode({"item": page.key, **msgspec.to_builtins(sale)}).decode()
                if left[line]:
                    left[line] -= 1
                else:
                    new.append(line)
    # Only now: a run that breaks off half-way must not leave a newest time with a gap below it.
    with file.open("a", encoding="utf-8") as lines:
        lines.writelines(f"{line}\n" for line in new)
    return len(new)


def newest_sales(file: Path) -> dict[str, tuple[str, Counter[str]]]:
    """The time of the newest sales of each item in the file, and their lines."""
    newest: dict[str, tuple[str, Counter[str]]] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        sale = msgspec.json.decode(line)
        item, time = sale["item"], sale["time"]
        if item not in newest or time > newest[item][0]:
            newest[item] = time, Counter()
        if time == newest[item][0]:
            newest[item][1][line] += 1
    return newest


def main(file: str, *items: str) -> None:
    print(collect(Path(file), list(items)), "new sales")


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--fake"]
    if "--fake" not in sys.argv:
        main(*arguments)
    else:
        fake = FakeApi(limit=100_000, sales=dict.fromkeys(arguments[1:], 1000))
        with fake.serve() as url:
            os.environ.update(SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
            main(*arguments)
            fake.sell(arguments[1], 3)
            main(*arguments)
