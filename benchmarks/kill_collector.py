"""Collectors that `benchmarks.kill` kills, forked by a process that has imported everything.

Each line of the input is one request, and each line of the output its answer:

    {"how": "run", "url": …, "token": …, "database": …, "items": […]}    forks a collector, and answers its process id
    123                                                                 waits for the end of it, and answers its status
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
import warnings
from typing import TYPE_CHECKING

import psycopg  # noqa: F401  # these are imported late, and nothing is to be killed meanwhile

from scapi import AppClient, Collector, Store
from scapi._async import transport  # noqa: F401
from scapi._store import sql_store  # noqa: F401
from scapi.pacing import PostgresBudget

if TYPE_CHECKING:
    from collections.abc import Sequence


async def collect(how: str, url: str, token: str, database: str, items: Sequence[str]) -> None:
    """Collect for as long as it lives, or `once`."""
    # What `scapi collect` does.
    is_shared = "://" in database and "SCAPI_REDIS_URL" not in os.environ
    budget = PostgresBudget(database) if is_shared else None
    async with AppClient(token=token, base_url=url, region="ru", budget=budget) as client, Store(database) as store:
        # Leases shorter than lives: the next process goes on where this one was killed.
        collector = Collector(client, store, items, sales=1.0, since="all", lease=0.1)
        await (collector.once() if how == "once" else collector.run())


def answer(request: int | dict[str, object]) -> int:
    """Fork a collector and return its process id, or wait for one and return its exit status."""
    if isinstance(request, int):
        return os.waitstatus_to_exitcode(os.waitpid(request, 0)[1])
    return fork(request)


def fork(request: dict[str, object]) -> int:
    """Fork a collector. Return its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        # The answers are the parent's.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        asyncio.run(collect(**request))  # type: ignore[arg-type]  # as `benchmarks.kill` writes it
        code = 0
    except BaseException:  # noqa: BLE001  # nothing may return into the parent's loop
        traceback.print_exc()
    finally:
        os._exit(code)


def main() -> None:
    for line in sys.stdin:
        print(answer(json.loads(line)), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
