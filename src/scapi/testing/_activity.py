"""What happens in a fake by itself while a program runs against it."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import cycle
from threading import Event, Thread
from typing import TYPE_CHECKING

from scapi.testing._catalogue import ITEMS, REGIONS, UNTRADEABLE

if TYPE_CHECKING:
    from collections.abc import Generator

    from scapi.testing._fake import FakeApi

#: Seconds between two events: each item is sold and listed once, and an emission starts or ends.
PERIOD = 10.0

TRADED = [item for item in ITEMS if item not in UNTRADEABLE]


@contextmanager
def activity(fake: FakeApi) -> Generator[None]:
    """Let things happen in a fake, every `PERIOD` seconds and in all regions, until the `with` block ends."""
    over = Event()
    thread = Thread(target=_happen, args=(fake, over), name="scapi-fake-activity", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _happen(fake: FakeApi, over: Event) -> None:
    changes = cycle((fake.start_emission, fake.end_emission))
    while not over.wait(PERIOD):
        change = next(changes)
        for region in REGIONS:
            change(region=region)
            for item in TRADED:
                fake.sell(item, region=region)
                fake.list_lot(item, region=region)
