"""The types that a `Store` takes and returns. The store itself is `scapi.Store` or `scapi.sync.Store`.

```python
from scapi import Store

async with Store("market.db") as store:
    stats = await store.stats("zyv9", since="30d")
```
"""

from __future__ import annotations

from scapi import _conflict  # noqa: F401  # raises if another package overwrote this one
from scapi._collect.records import Collected, CollectedLot, CollectedSale, Failure, Progress
from scapi._store.reading import BEGINNING, LotsPiece, LotsReading, Numbered, SalesPiece, SalesReading
from scapi._store.rows import (
    BookLot,
    Candle,
    Deal,
    Gap,
    ItemChange,
    ItemHealth,
    ItemState,
    Place,
    Run,
    Sale,
    Span,
    Stats,
)
from scapi._store.write_results import ClanChange, Unstored, Written, WrittenLots

__all__ = [
    "BEGINNING",
    "BookLot",
    "Candle",
    "ClanChange",
    "Collected",
    "CollectedLot",
    "CollectedSale",
    "Deal",
    "Failure",
    "Gap",
    "ItemChange",
    "ItemHealth",
    "ItemState",
    "LotsPiece",
    "LotsReading",
    "Numbered",
    "Place",
    "Progress",
    "Run",
    "Sale",
    "SalesPiece",
    "SalesReading",
    "Span",
    "Stats",
    "Unstored",
    "Written",
    "WrittenLots",
]
