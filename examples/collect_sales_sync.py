"""Keep the sales of some items in a file: the first run reads all there are, every later one only what is new.

SCAPI_TOKEN=... python examples/collect_sales_sync.py sales.jsonl zyv9 kqgy 319k
python examples/collect_sales_sync.py sales.jsonl zyv9 kqgy 319k --fake
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from scapi.sync import AppClient
from scapi.testing import FakeApi


def collect(file: Path, items: list[str]) -> int:
    """Append the new sales of the items to the file, and tell how many."""
    new: list[dict[str, Any]] = []
    with AppClient.from_env() as client:
        pages = client.auctions(items).iter_price_history(since=newest_times(file), additional=True)
        for page in pages:
            new += [{"item": page.key, **msgspec.to_builtins(sale)} for sale in page.unwrap()]
    # Only now: a run that breaks off half-way must not leave a newest time with a gap below it.
    with file.open("a", encoding="utf-8") as lines:
        lines.writelines(msgspec.json.encode(sale).decode() + "\n" for sale in new)
    return len(new)


def newest_times(file: Path) -> dict[str, str]:
    """The time of the newest sale of each item in the file."""
    newest: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        sale = msgspec.json.decode(line)
        newest[sale["item"]] = max(sale["time"], newest.get(sale["item"], ""))
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
