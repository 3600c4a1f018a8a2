"""A bot that tells of cheap lots as they turn up. Telegram, Discord or whatever: put your messenger into `send`.

SCAPI_TOKEN=... python examples/price_alert_bot_sync.py zyv9 25000 bot.json
python examples/price_alert_bot_sync.py zyv9 25000 bot.json --fake
"""

from __future__ import annotations

import os
import sys
import threading
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from scapi import files
from scapi.exceptions import ScApiException
from scapi.models import AuctionLot, LotsWatchState
from scapi.sync import AppClient
from scapi.testing import FakeApi


def send(text: str) -> None:
    """Where a real bot would call its messenger."""
    print(text, flush=True)


def watch(item: str, most: float, file: Path, *, interval: float = 60.0, times: int | None = None) -> None:
    """Send a message for each new lot at no more than so much per piece, until there were so many messages."""

    def is_cheap(lot: AuctionLot) -> bool:
        return lot.unit_price is not None and lot.unit_price <= most

    with AppClient.from_env() as client:
        watcher = client.auction(item).watch_lots(where=is_cheap, interval=interval, state=saved(file))
        for event in watcher:
            if event.kind == "error":
                send(f"can't see the auction, next try in {event.wait:.0f} s: {event.error}")
            elif event.kind == "new":
                send(f"{item}: {event.lot.amount} for {event.lot.buyout_price:,}")
                times = times and times - 1
            # After the message: a bot that is ended in between says it again, and doesn't forget it.
            save(file, watcher.state)
            if times == 0:
                break


def saved(file: Path) -> LotsWatchState | None:
    """What was seen before; nothing if the file isn't there, or can't be read."""
    try:
        return LotsWatchState.from_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        print(f"{file} can't be read, so the bot begins anew: {error}", file=sys.stderr)
        return None


def save(file: Path, state: LotsWatchState | None) -> None:
    if state is not None:
        # In whole or not at all: half a file would stop the next start.
        files.write_text(file, state.to_json())


def trade(fake: FakeApi, item: str) -> None:
    """Put up a cheap and a dear lot, again and again, as the players of the real game do."""
    while True:
        time.sleep(0.2)
        fake.list_lot(item, amount=2, buyout_price=20_000)
        fake.list_lot(item, amount=1, buyout_price=90_000_000)


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("item", help="the id of an item, such as zyv9")
    parser.add_argument("most", type=float, help="the highest price per piece")
    parser.add_argument("file", type=Path, help="where to keep what was seen, such as bot.json")
    parser.add_argument("--fake", action="store_true", help="try it without a key")
    given = parser.parse_args()
    try:
        if not given.fake:
            watch(given.item, given.most, given.file)
        else:
            fake = FakeApi(limit=100_000, clock=time.time)
            threading.Thread(target=trade, args=(fake, given.item), daemon=True).start()
            with fake.serve() as url:
                os.environ.update(SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
                watch(given.item, given.most, given.file, interval=0.1, times=2)
    except (KeyboardInterrupt, OSError, ScApiException) as error:
        sys.exit(str(error) or "stopped")
