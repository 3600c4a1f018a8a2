"""The auction: lots that come and go, and histories so long that each row is made from its number when needed."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

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
"""How many listings are cached until the clock moves, so that paging doesn't rebuild one for each page."""

SALES_KEPT = 8192
"""How many generated sales are kept, for all fakes: what reads a history often reads the same rows."""

QUALITIES = (0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 5)


def moment(second: int) -> datetime:
    """Return the time for seconds since the epoch."""
    return datetime.fromtimestamp(second, UTC)


class Market:
    """All lots and sales of all regions.

    A row is a function of the seed, the region, the item and the row's number. So a history of millions of rows costs
    nothing until it is read. Only rows that a test adds are stored.
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
            seed: The seed of all data.
            start: Time of the newest generated sale, in seconds since the epoch.
            items: Categories by item id.
            sales: Number of sales per region of these items, instead of the usual number.
            stale: Seconds for which an expired lot may still be shown.
            float_lots: Whether prices of lots are spelled `100.0`.
        """
        self._seed = seed
        self._start = start
        self._items = items
        self._counts = {**SALES, **sales}
        self._stale = stale
        self._price = float if float_lots else int
        # Oldest first, each with the number of older sales.
        self._sold: defaultdict[Place, list[tuple[int, Row]]] = defaultdict(list)
        self._listed: defaultdict[Place, list[tuple[int, Row]]] = defaultdict(list)
        self._removed: defaultdict[Place, set[bytes]] = defaultdict(set)
        self._shown: dict[Place, tuple[int, list[Row]]] = {}
        # The generated rows of the last listing: most are in the next too.
        self._made: dict[Place, dict[int, Row]] = {}

    # ── sales ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def total_sales(self, region: str, item: str) -> int:
        """Return the number of sales in the history."""
        return self._made_sales(region, item) + len(self._sold[region, item])

    def sales(self, region: str, item: str, offset: int, limit: int) -> Iterator[Row]:
        """Yield a page of the history, newest first. Don't change the rows: they are kept."""
        sold, history = self._sold[region, item], self._history(region, item)
        total = history.length + len(sold)
        for index in range(offset, min(offset + limit, total)):
            older = total - 1 - index
            place = bisect_left(sold, older, key=itemgetter(0))
            if place < len(sold) and sold[place][0] == older:
                yield sold[place][1]
            else:
                yield _sale(history, index - (len(sold) - place))

    def sell(self, region: str, item: str, count: int, second: int, changes: Mapping[str, Any]) -> None:
        """Add sales with the time `second` to the history, above other sales of the same time or earlier."""
        sold, when, history = self._sold[region, item], moment(second), self._history(region, item)
        made = history.length - history.later_than(second)
        for _ in range(count):
            # Generated sales have numbers from 0 up, so negative numbers are unused.
            row = {**_sale_row(history.origin, -1 - len(sold), second), **changes}
            place = bisect_right(sold, when, key=lambda entry: entry[1]["time"])
            sold[place:] = [(place + made, row), *((older + 1, row) for older, row in sold[place:])]

    def _history(self, region: str, item: str) -> "History":
        return History(self._origin(region, item), self._start, self._made_sales(region, item))

    def _origin(self, region: str, item: str) -> "Origin":
        return Origin(self._seed, region, item, self._items[item])

    def _made_sales(self, region: str, item: str) -> int:
        if item in UNTRADEABLE:
            return 0
        if item in self._counts:
            return self._counts[item]
        return between(20, 9_999, numbers_for(self._seed, region, item, "sales")[0])

    # ── lots ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def lots(self, region: str, item: str, now: int) -> list[Row]:
        """Return all lots that are shown at `now`, oldest first."""
        shown = self._shown.get((region, item))
        if shown is None or shown[0] != now:
            if len(self._shown) > SHOWN_KEPT:
                self._shown.clear()
                self._made.clear()
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
        """Remove one lot that looks like this one. Return False if there is none."""
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
        """Yield the generated lots at `now`. One lot begins in each period, so they are found without a scan."""
        pace, removed = self._pace(region, item), self._removed[region, item]
        if pace is None:
            return
        before, made = self._made.get((region, item), {}), dict[int, Row]()
        for number in range((now - DURATIONS[-1] - self._stale) // pace, now // pace + 1):
            numbers = numbers_for(self._seed, region, item, "lot", number)
            start, duration = number * pace + numbers[0] % pace, pick(DURATIONS, numbers[1])
            if start <= now < start + self._shown_for(duration, numbers):
                made[number] = before.get(number) or self._lot_row(region, item, number, start, duration)
                if not removed or _fingerprint(made[number]) not in removed:
                    yield made[number]
        self._made[region, item] = made

    def _pace(self, region: str, item: str) -> int | None:
        """Return the seconds between two lots of an item, None if the item has no lots."""
        alive = LOTS_ALIVE.get(item) or pick((0, 3, 12, 45, 90), numbers_for(self._seed, region, item, "pace")[0])
        return MEAN_LIFE // alive if alive and item not in UNTRADEABLE else None

    def _shown_for(self, duration: int, numbers: Numbers) -> int:
        """Return how long a lot is shown. A third is bought before the end; the others stay a while after it."""
        if numbers[2] % 3 == 0:
            return int(duration * share(numbers[3]))
        return duration + numbers[3] % (self._stale + 1)

    def _lot_row(self, region: str, item: str, number: int, start: int, duration: int) -> Row:
        origin = self._origin(region, item)
        numbers = numbers_for(self._seed, region, item, "offer", number)
        amount = _amount(origin, numbers)
        details = _details(origin, numbers, start)
        buyout = _unit_price(origin, details, numbers) * amount
        if numbers[14] % 97 == 0:
            buyout = 10_000_000_000
        kind, bid = numbers[14] % 10, int(buyout * (0.5 + share(numbers[13]) / 3))
        row: Row = {"itemId": item, "amount": amount, "startPrice": self._price(0 if kind == 0 else bid)}
        if kind % 3 == 1:
            row["currentPrice"] = self._price(bid + bid // 10)
        row["buyoutPrice"] = self._price(0 if kind == 1 else buyout)
        return row | {"startTime": moment(start), "endTime": moment(start + duration), "additional": details}


class Origin(NamedTuple):
    """What all rows of an item in a region are made from.

    Attributes:
        seed: The seed of all data.
        region: The region.
        item: The item.
        category: The item's category.
    """

    seed: int
    region: str
    item: str
    category: str


class History(NamedTuple):
    """The generated sales of an item in a region. The newest one has the number 0.

    Attributes:
        origin: What its rows are made from.
        start: Time of the newest one, in seconds since the epoch.
        length: How many there are.
    """

    origin: Origin
    start: int
    length: int

    def first_alike(self, index: int) -> int:
        """Return the number of the sale that this one is equal to, which may be its own."""
        # Sometimes four sales in a row are equal, as if somebody had bought a stack piece by piece.
        seed, region, item, _ = self.origin
        block = index - index % 4
        return block if numbers_for(seed, region, item, "stack", block)[0] % 8 == 0 else index

    def when(self, index: int) -> int:
        """Return the time of a sale that is the first one alike. It is never later than that of the sale above it."""
        seed, region, item, _ = self.origin
        step = max(1, min(HOUR // 2, YEAR // self.length))
        return self.start - index * step - numbers_for(seed, region, item, "when", index)[0] % step

    def later_than(self, second: int) -> int:
        """Return how many sales are later than `second`."""
        return bisect_left(range(self.length), -second, key=lambda index: -self.when(self.first_alike(index)))


@lru_cache(maxsize=SALES_KEPT)
def _sale(history: History, index: int) -> Row:
    index = history.first_alike(index)
    return _sale_row(history.origin, index, history.when(index))


def _sale_row(origin: Origin, index: int, second: int) -> Row:
    numbers = numbers_for(origin.seed, origin.region, origin.item, "sale", index)
    amount = _amount(origin, numbers)
    details = _details(origin, numbers, second)
    if numbers[11] % 20 == 0:
        details["buyer"] = f"Buyer{numbers[12] % 1000}"
    price = _unit_price(origin, details, numbers) * amount
    return {"amount": amount, "price": float(price), "time": moment(second), "additional": details}


def _amount(origin: Origin, numbers: Numbers) -> int:
    alone = origin.category.startswith(("artefact", "weapon", "armor"))
    return 1 if alone else pick((1, 1, 2, 5, 10, 50, 100), numbers[0])


def _unit_price(origin: Origin, details: Mapping[str, Any], numbers: Numbers) -> int:
    usual = 10 ** (2 + 4 * share(numbers_for(origin.seed, origin.region, origin.item, "price")[0]))
    worth = (1 + details.get("qlt", 0)) ** 2 * (1 + details.get("ptn", 0) / 5)
    return max(1, int(usual * worth * (0.75 + share(numbers[1]) / 2)))


def _details(origin: Origin, numbers: Numbers, second: int) -> Row:
    artefact = origin.category.startswith("artefact")
    pairs = list(_artefact_pairs(numbers) if artefact else _plain_pairs(numbers))
    if numbers[2] % 100 < (85 if artefact else 20):
        pairs.append(("spawn_time", second * 1000 - numbers[3] % (90 * 24 * HOUR * 1000)))
    # The API has no fixed order of keys, so clients must not rely on one.
    turn = numbers[4] % (len(pairs) or 1)
    return dict(pairs[turn:] + pairs[:turn])


def _plain_pairs(numbers: Numbers) -> Iterator[tuple[str, Any]]:
    if numbers[5] % 5 == 0:
        yield "it_transf_count", between(1, 11, numbers[6])


def _artefact_pairs(numbers: Numbers) -> Iterator[tuple[str, Any]]:
    studied, level = numbers[7] % 100 < 7, between(1, 15, numbers[8])
    yield "upgrade_bonus", round(0.0042 + numbers[5] % 73 / 1000, 4) if numbers[5] % 25 == 0 else 0.0
    # One in a hundred has no quality.
    if numbers[6] % 100:
        yield "qlt", pick(QUALITIES, numbers[6])
    if numbers[8] % 100 < 15:
        yield "ptn", level
        # With 8 properties, a step of 5 is a step of -3: the same properties occur in different orders.
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
    """Return the data that identifies a lot. Lots have no id, and `additional` may be missing."""
    prices = [int(lot.get(name) or 0) for name in PRICES]
    return msgspec.json.encode([lot["itemId"], lot["startTime"], lot["endTime"], lot["amount"], prices])
