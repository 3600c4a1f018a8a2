"""Charts of price histories, candles, order books and the damage in a session. Needs the extra `plot`.

```python
from scapi import plot
from scapi.sync import AppClient

with AppClient(token="...", region="eu") as client:
    sales = client.auction("kqgy").price_history(limit=200, additional=True)
plot.price_history(sales, item="Stone Blossom", region="eu", path="prices.png")
```

Every function returns a `matplotlib.figure.Figure` that notebooks show, and writes it to `path` if given. The package
doesn't use `pyplot` or change matplotlib's global settings.
"""

from scapi import _conflict  # noqa: F401  # raises where another package overwrote this one
from scapi._base.extras import extra

with extra("plot"):
    from scapi.plot._candles import candles
    from scapi.plot._damage import damage
    from scapi.plot._order_book import order_book
    from scapi.plot._price_history import price_history

__all__ = ["candles", "damage", "order_book", "price_history"]
