"""A bot in the shape of those of Telegram: it answers /price, and sends an alert when a cheap lot turns up.

    /price Stone Blossom          what it costs now, and what it sold for lately
    /alert 40000 Stone Blossom    a message for each new lot that costs at most so much per piece
    /stop                         no more alerts

The messenger is a class with two methods. Here it is the terminal: what you type is a message, what it prints is the
answer. Replace it by one that calls aiogram, python-telegram-bot or whatever you use. The alerts are kept in a file.

SCAPI_TOKEN=... python examples/telegram_bot_async.py alerts.json
python examples/telegram_bot_async.py alerts.json --fake
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from scapi import AppClient, DatabaseLookup, files
from scapi.exceptions import ItemNameError, ScApiException
from scapi.testing import FakeApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scapi.models import AuctionLot

HELP = "Try /price ITEM, /alert PRICE ITEM, or /stop."


class Alert(msgspec.Struct, frozen=True):
    """What a chat wants to hear of."""

    chat: str
    item: str
    name: str
    most: float


class Terminal:
    """The messenger of this machine, with a single chat."""

    async def messages(self) -> AsyncIterator[tuple[str, str]]:
        """Yield each message with its chat, until there are no more."""
        loop, queue = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def read() -> None:
            # Once the program ends, nobody takes what is typed.
            with open(0, encoding="utf-8", closefd=False) as lines, suppress(RuntimeError):
                for line in lines:
                    loop.call_soon_threadsafe(queue.put_nowait, line)
                loop.call_soon_threadsafe(queue.put_nowait, None)

        # A thread that waits for the keyboard can't be cancelled. A daemon doesn't keep the program from ending.
        threading.Thread(target=read, daemon=True).start()
        while (line := await queue.get()) is not None:
            yield "you", line.strip()

    async def send(self, chat: str, text: str) -> None:
        print(f"to {chat}: {text}", flush=True)


class Bot:
    """Answers messages, and watches the auction for alerts.

    Args:
        client: The API.
        lookup: The names of items.
        messenger: Where messages come from and go to.
        file: Where the alerts are kept.
        interval: Seconds between two looks at an item.
    """

    def __init__(
        self, client: AppClient, lookup: DatabaseLookup, messenger: Terminal, file: Path, interval: float
    ) -> None:
        self.client, self.lookup, self.messenger = client, lookup, messenger
        self.file, self.interval = file, interval
        self.watchers: dict[Alert, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Answer until there are no more messages. What was asked before is still answered."""
        async with asyncio.TaskGroup() as self.tasks:
            for alert in self.saved():
                self.watch(alert)
            async with asyncio.TaskGroup() as answers:
                async for chat, text in self.messenger.messages():
                    answers.create_task(self.answer(chat, text))
            for watcher in self.watchers.values():
                watcher.cancel()

    async def answer(self, chat: str, text: str) -> None:
        try:
            match text.split():
                case ["/price", *words] if words:
                    said = await self.price(" ".join(words))
                case ["/alert", most, *words] if words and most.isdecimal():
                    item, name = await self.find(" ".join(words))
                    self.watch(Alert(chat, item, name, float(most)))
                    said = f"I'll tell you of {name} for {int(most):,} a piece or less."
                case ["/stop"]:
                    said = f"Alerts ended: {self.stop(chat)}."
                case _:
                    said = HELP
        except (ItemNameError, ScApiException) as error:
            said = str(error)
        await self.messenger.send(chat, said)

    async def find(self, text: str) -> tuple[str, str]:
        """Return the id of an item, and its name."""
        item = await self.lookup.id(text)
        return item, (await self.lookup.names("en"))[item]

    async def price(self, text: str) -> str:
        item, name = await self.find(text)
        offers = await self.client.auction(item).cheapest(1)
        sales = await self.client.auction(item).price_history(limit=100)
        cheapest = f"from {offers[0].unit_price:,.0f} a piece" if offers else "not on offer"
        usual = f"sold for {median(sale.unit_price for sale in sales):,.0f}" if sales else "never sold"
        return f"{name}: {offers.total} lots, {cheapest}, {usual}."

    def watch(self, alert: Alert) -> None:
        if alert not in self.watchers:
            self.watchers[alert] = self.tasks.create_task(self.tell(alert))
            self.save()

    def stop(self, chat: str) -> int:
        ended = [alert for alert in self.watchers if alert.chat == chat]
        for alert in ended:
            self.watchers.pop(alert).cancel()
        self.save()
        return len(ended)

    async def tell(self, alert: Alert) -> None:
        """Send a message for each new lot that is cheap enough."""

        def is_cheap(lot: AuctionLot) -> bool:
            return lot.unit_price is not None and lot.unit_price <= alert.most

        async for event in self.client.auction(alert.item).watch_lots(where=is_cheap, interval=self.interval):
            if event.kind == "new":
                await self.messenger.send(
                    alert.chat, f"{alert.name}: {event.lot.amount} for {event.lot.buyout_price:,}"
                )
            elif event.kind == "error":
                await self.messenger.send(alert.chat, f"{alert.name}: I can't see the auction: {event.error}")

    def saved(self) -> list[Alert]:
        """The alerts of the last run; none if the file isn't there, or can't be read."""
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=list[Alert])
        except FileNotFoundError:
            return []
        except msgspec.MsgspecError as error:
            print(f"{self.file} can't be read, so there are no alerts: {error}", file=sys.stderr)
            return []

    def save(self) -> None:
        # In whole or not at all: half a file would lose all alerts.
        files.write_text(self.file, msgspec.json.encode(list(self.watchers)).decode())


async def serve(file: Path, interval: float) -> None:
    async with AppClient.from_env() as client, DatabaseLookup() as lookup:
        await Bot(client, lookup, Terminal(), file, interval).run()


def trade(fake: FakeApi) -> None:
    """Put up a cheap and a dear lot, again and again, as the players of the real game do."""
    while True:
        time.sleep(0.2)
        fake.list_lot("kqgy", amount=2, buyout_price=20_000)
        fake.list_lot("kqgy", amount=1, buyout_price=90_000_000)


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="where to keep the alerts, such as alerts.json")
    parser.add_argument("--fake", action="store_true", help="try it without a key")
    given = parser.parse_args()
    # A service manager ends a program by SIGTERM: it ends as by Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        if not given.fake:
            asyncio.run(serve(given.file, 60.0))
        else:
            fake = FakeApi(limit=100_000, clock=time.time)
            threading.Thread(target=trade, args=(fake,), daemon=True).start()
            with fake.serve() as url, tempfile.TemporaryDirectory() as cache:
                os.environ.update(SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
                os.environ.update(SCAPI_GITHUB_URL=url, SCAPI_CACHE_DIR=cache)
                asyncio.run(serve(given.file, 0.1))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
    except (OSError, ScApiException) as error:
        sys.exit(str(error))
