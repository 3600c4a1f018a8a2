"""The auction: histories too long to hold, made row by row from their number, and lots that come and go."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import msgspec

from scapi.testing._catalogue import BONUS_PROPERTIES, LOTS_ALIVE, SALES, UNTRADEABLE
from scapi.testing._random import Numbers, between, numbers_for, pick, share

Row = dict[str, Any]
Place = tuple[str, str]
"""A region and an item."""

HOUR = 3600
DURATIONS = (6 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR)
MEAN_LIFE = 19 * HOUR
YEAR = 365 * 24 * HOUR
PRICES = ("startPrice", "currentPrice", "buyoutPrice")

SHOWN_KEPT = 256
"""Listings kept until the clock moves, so that paging through one doesn't make it anew for each page."""

QUALITIES = (0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 5)


def moment(second: int) -> datetime:
    """A time of the API, from seconds of the epoch."""
    return datetime.fromtimestamp(second, UTC)


class Market:
    """All lots and sales of all regions.

    A row is a function of the seed, the region, the item and its number, so that a history of millions costs
    nothing until it is read. Only what a test adds is kept.
    """

    def __init__(
        self,
        *,
        seed: int,
        start: int,
        items: Mapping[str, str],
        sales: Mapping[str, int],
        stale: int,
        float_lots: bool,
    ) -> None:
        """Open the auction.

        Args:
            seed: What everything is made from.
            start: Seconds of the epoch at which the newest of the made-up sales took place.
            items: Categories by item id.
            sales: Sales per region of these items, in place of the usual ones.
            stale: Seconds for which an expired lot may still be answered.
            float_lots: Whether prices of lots are spelled `100.0`.
        """
        self._seed = seed
        self._start = start
        self._items = items
        self._counts = {**SALES, **sales}
        self._stale = stale
        self._price = float if float_lots else int
        # Oldest first, each with the number of all sales that are older.
        self._sold: defaultdict[Place, list[tuple[int, Row]]] = defaultdict(list)
        self._listed: defaultdict[Place, list[tuple[int, Row]]] = defaultdict(list)
        self._removed: defaultdict[Place, set[bytes]] = defaultdict(set)
        self._shown: dict[Place, tuple[int, list[Row]]] = {}

    # Sales

    def total_sales(self, region: str, item: str) -> int:
        """How many sales the history has."""
        return self._made_sales(region, item) + len(self._sold[region, item])

    def sales(self, region: str, item: str, offset: int, limit: int) -> Iterator[Row]:
        """A page of the history, newest first."""
        sold, total = self._sold[region, item], self.total_sales(region, item)
        for index in range(offset, min(offset + limit, total)):
            older = total - 1 - index
            place = bisect_left(sold, older, key=itemgetter(0))
            if place < len(sold) and sold[place][0] == older:
                yield sold[place][1]
            else:
                yield self._sale(region, item, index - (len(sold) - place))

    def sell(self, region: str, item: str, count: int, second: int, changes: Mapping[str, Any]) -> None:
        """Put sales into the history, all of them at `second`: above those of the same time, and of earlier ones."""
        sold, when = self._sold[region, item], moment(second)
        made = self._made_sales(region, item) - self._made_after(region, item, second)
        for _ in range(count):
            # Negative numbers are below those of the made-up history, so no number is used twice.
            row = {**self._sale_row(region, item, -1 - len(sold), second), **changes}
            place = bisect_right(sold, when, key=lambda entry: entry[1]["time"])
            sold[place:] = [(place + made, row), *((older + 1, row) for older, row in sold[place:])]

    def _made_after(self, region: str, item: str, second: int) -> int:
        """How many sales of the made-up history are later."""
        count = self._made_sales(region, item)
        return bisect_left(range(count), -second, key=lambda index: -self._when(region, item, index))

    def _made_sales(self, region: str, item: str) -> int:
        if item in UNTRADEABLE:
            return 0
        if item in self._counts:
            return self._counts[item]
        return between(20, 9_999, numbers_for(self._seed, region, item, "sales")[0])

    def _sale(self, region: str, item: str, index: int) -> Row:
        index = self._first_alike(region, item, index)
        return self._sale_row(region, item, index, self._when(region, item, index))

    def _first_alike(self, region: str, item: str, index: int) -> int:
        # Now and then four sales in a row are one and the same: somebody bought a stack, piece by piece.
        block = index - index % 4
        return block if numbers_for(self._seed, region, item, "stack", block)[0] % 8 == 0 else index

    def _when(self, region: str, item: str, index: int) -> int:
        """The second of a made-up sale; never later than that of the one above it."""
        index = self._first_alike(region, item, index)
        step = max(1, min(HOUR // 2, YEAR // self._made_sales(region, item)))
        return self._start - index * step - numbers_for(self._seed, region, item, "when", index)[0] % step

    def _sale_row(self, region: str, item: str, index: int, second: int) -> Row:
        numbers = numbers_for(self._seed, region, item, "sale", index)
        amount = self._amount(item, numbers)
        details = self._details(item, numbers, second)
        if numbers[11] % 20 == 0:
            details["buyer"] = f"Buyer{numbers[12] % 1000}"
        price = self._unit_price(region, item, details, numbers) * amount
        return {"amount": amount, "price": float(price), "time": moment(second), "additional": details}

    # Lots

    def lots(self, region: str, item: str, now: int) -> list[Row]:
        """All lots that are shown at `now`, oldest first."""
        shown = self._shown.get((region, item))
        if shown is None or shown[0] != now:
            if len(self._shown) > SHOWN_KEPT:
                self._shown.clear()
            shown = self._shown[region, item] = now, self._present(region, item, now)
        return shown[1]

    def list_lot(self, region: str, item: str, now: int, duration: int, changes: Mapping[str, Any]) -> Row:
        """Put up a lot at `now`."""
        listed = self._listed[region, item]
        row = {**self._lot_row(region, item, -1 - len(listed), now, duration), **changes}
        row |= {name: self._price(row[name]) for name in PRICES if name in row}
        listed.append((now + duration + self._stale, row))
        self._shown.pop((region, item), None)
        return row

    def remove_lot(self, region: str, lot: Mapping[str, Any], now: int) -> bool:
        """Take away one lot that looks like this one; False where there is none."""
        item, wanted = str(lot["itemId"]), _fingerprint(lot)
        if wanted not in map(_fingerprint, self.lots(region, item, now)):
            return False
        self._shown.pop((region, item), None)
        listed = self._listed[region, item]
        for number, (_, row) in enumerate(listed):
            if _fingerprint(row) == wanted:
                del listed[number]
                return True
        self._removed[region, item].add(wanted)
        return True

    def _present(self, region: str, item: str, now: int) -> list[Row]:
        listed = [row for gone, row in self._listed[region, item] if now < gone]
        rows = [*self._made_lots(region, item, now), *listed]
        return sorted(rows, key=lambda row: row["startTime"])

    def _made_lots(self, region: str, item: str, now: int) -> Iterator[Row]:
        """One lot begins in every stretch of time, so today's are found without counting from the first."""
        pace, removed = self._pace(region, item), self._removed[region, item]
        if pace is None:
            return
        for number in range((now - DURATIONS[-1] - self._stale) // pace, now // pace + 1):
            numbers = numbers_for(self._seed, region, item, "lot", number)
            start, duration = number * pace + numbers[0] % pace, pick(DURATIONS, numbers[1])
            if start <= now < start + self._shown_for(duration, numbers):
                row = self._lot_row(region, item, number, start, duration)
                if not removed or _fingerprint(row) not in removed:
                    yield row

    def _pace(self, region: str, item: str) -> int | None:
        """Seconds between two lots of an item, None for one that has none."""
        alive = LOTS_ALIVE.get(item) or pick((0, 3, 12, 45, 90), numbers_for(self._seed, region, item, "pace")[0])
        return MEAN_LIFE // alive if alive and item not in UNTRADEABLE else None

    def _shown_for(self, duration: int, numbers: Numbers) -> int:
        """A third is bought before its time; the others expire, and stay to be seen for a while."""
        if numbers[2] % 3 == 0:
            return int(duration * share(numbers[3]))
        return duration + numbers[3] % (self._stale + 1)

    def _lot_row(self, region: str, item: str, number: int, start: int, duration: int) -> Row:
        numbers = numbers_for(self._seed, region, item, "offer", number)
        amount = self._amount(item, numbers)
        details = self._details(item, numbers, start)
        buyout = self._unit_price(region, item, details, numbers) * amount
        if numbers[14] % 97 == 0:
            buyout = 10_000_000_000
        kind, bid = numbers[14] % 10, int(buyout * (0.5 + share(numbers[13]) / 3))
        row: Row = {"itemId": item, "amount": amount, "startPrice": self._price(0 if kind == 0 else bid)}
        if kind % 3 == 1:
            row["currentPrice"] = self._price(bid + bid // 10)
        row["buyoutPrice"] = self._price(0 if kind == 1 else buyout)
        return row | {"startTime": moment(start), "endTime": moment(start + duration), "additional": details}

    # What both have

    def _amount(self, item: str, numbers: Numbers) -> int:
        alone = self._items[item].startswith(("artefact", "weapon", "armor"))
        return 1 if alone else pick((1, 1, 2, 5, 10, 50, 100), numbers[0])

    def _unit_price(self, region: str, item: str, details: Mapping[str, Any], numbers: Numbers) -> int:
        usual = 10 ** (2 + 4 * share(numbers_for(self._seed, region, item, "price")[0]))
        worth = (1 + details.get("qlt", 0)) ** 2 * (1 + details.get("ptn", 0) / 5)
        return max(1, int(usual * worth * (0.75 + share(numbers[1]) / 2)))

    def _details(self, item: str, numbers: Numbers, second: int) -> Row:
        artefact = self._items[item].startswith("artefact")
        pairs = list(_artefact_pairs(numbers) if artefact else _plain_pairs(numbers))
        if numbers[2] % 100 < (85 if artefact else 20):
            pairs.append(("spawn_time", second * 1000 - numbers[3] % (90 * 24 * HOUR * 1000)))
        # The API keeps no order of keys, so nobody may rely on one.
        turn = numbers[4] % (len(pairs) or 1)
        return dict(pairs[turn:] + pairs[:turn])


def _plain_pairs(numbers: Numbers) -> Iterator[tuple[str, Any]]:
    if numbers[5] % 5 == 0:
        yield "it_transf_count", between(1, 11, numbers[6])


def _artefact_pairs(numbers: Numbers) -> Iterator[tuple[str, Any]]:
    studied, level = numbers[7] % 100 < 7, between(1, 15, numbers[8])
    yield "upgrade_bonus", round(0.0042 + numbers[5] % 73 / 1000, 4) if numbers[5] % 25 == 0 else 0.0
    # One in a hundred has no quality at all.
    if numbers[6] % 100:
        yield "qlt", pick(QUALITIES, numbers[6])
    if numbers[8] % 100 < 15:
        yield "ptn", level
        # A step of 3 or of 5, which is -3 in a circle of eight: the same properties in either order.
        count, step = between(1, 3, numbers[9]), 3 + numbers[9] // 8 % 2 * 2
        yield "bonus_properties", [BONUS_PROPERTIES[(numbers[9] + n * step) % 8] for n in range(count)]
    if studied:
        yield "stats_random", round(share(numbers[10]) * 4.8 - 2.83, 7)
    if numbers[10] % 10 == 0:
        yield "ndmg", share(numbers[9])
    if numbers[10] % 50 == 0:
        yield "md_k", 0.3
    if numbers[7] % 4 == 0:
        yield "it_transf_count", between(1, 11, numbers[6])


def _fingerprint(lot: Mapping[str, Any]) -> bytes:
    """What a lot is known by. The API gives it no id, and `additional` isn't always there."""
    prices = [int(lot.get(name) or 0) for name in PRICES]
    return msgspec.json.encode([lot["itemId"], lot["startTime"], lot["endTime"], lot["amount"], prices])
