"""One process of `benchmarks.workers`: calls until its time is over, and prints what came of it as JSON.

It prints `ready`, and begins when it reads the seconds that it has.

It takes JSON from the command line: the server's `url` and `token`, `redis` and `postgres`, the `way` of pacing,
`callers`, `pause` between the calls of each, `calls`, `priority`, and the `world`. General limiters run in an
environment without scapi, so nothing of it is imported at the top.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import threading
import time
from typing import Any

PATHS = {
    "emission": ("/ru/emission", 1),
    "lots": ("/ru/auction/zyv9/lots?limit=1", 2),
    "history": ("/ru/auction/zyv9/history?limit=1", 2),
}
#: What the calls of a client are, by name.
CALLS = {
    "emission": lambda client: client.emission(),
    "lots": lambda client: client.auction("zyv9").lots(limit=1),
    "history": lambda client: client.auction("zyv9").price_history(limit=1),
    "regions": lambda client: client.regions(),
    "clans": lambda client: client.clans(limit=1),
    "sessions": lambda client: client.operations_sessions(limit=1),
}


class Tally:
    """What came of the calls, and how long each took."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.end = time.monotonic() + told["seconds"]
        self.failed: list[str] = []
        self.seconds: list[float] = []

    def over(self) -> bool:
        return time.monotonic() > self.end

    def note(self, begun: float, error: Exception | None = None) -> None:
        if error is None:
            self.seconds.append(time.monotonic() - begun)
        elif not self.over():
            self.failed.append(f"{type(error).__name__}: {error}")


def budget_of(told: dict[str, Any]) -> Any:
    from scapi.pacing import Budget, PostgresBudget, RedisBudget

    if told["way"] == "redis":
        return RedisBudget.from_url(told["redis"])
    if told["way"] == "postgres":
        return PostgresBudget(told["postgres"])
    return Budget(window=told["window"], share=told["share"])


def with_threads(told: dict[str, Any], tally: Tally) -> None:
    from scapi.exceptions import ScApiException
    from scapi.sync import AppClient

    client = AppClient(
        token=told["token"],
        base_url=told["url"],
        budget=budget_of(told),
        priority=told["priority"],
        reserve=told["reserve"],
    )

    def work(number: int) -> None:
        rng = random.Random(number)
        while not tally.over():
            begun = time.monotonic()
            try:
                CALLS[rng.choice(told["calls"])](client)
                tally.note(begun)
            except ScApiException as error:
                tally.note(begun, error)
            time.sleep(rng.expovariate(1 / told["pause"]) if told["pause"] else 0)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(told["callers"])]
    for thread in threads:
        thread.start()
    time.sleep(max(0.0, tally.end - time.monotonic()))
    client.close()
    for thread in threads:
        thread.join(5)


async def with_tasks(told: dict[str, Any], tally: Tally) -> None:
    from scapi import AppClient
    from scapi.exceptions import ScApiException

    async def work(number: int) -> None:
        rng = random.Random(number)
        while not tally.over():
            begun = time.monotonic()
            try:
                await CALLS[rng.choice(told["calls"])](client)
                tally.note(begun)
            except ScApiException as error:
                tally.note(begun, error)
            await asyncio.sleep(rng.expovariate(1 / told["pause"]) if told["pause"] else 0)

    async with AppClient(
        token=told["token"],
        base_url=told["url"],
        budget=budget_of(told),
        priority=told["priority"],
        reserve=told["reserve"],
    ) as client:
        tasks = [asyncio.create_task(work(number)) for number in range(told["callers"])]
        await asyncio.sleep(max(0.0, tally.end - time.monotonic()))
    await asyncio.gather(*tasks, return_exceptions=True)


def with_limiter(told: dict[str, Any], tally: Tally) -> None:
    """Plain httpx behind a general limiter in the same Redis, as its documentation shows it."""
    import httpx

    acquire = LIMITERS[told["way"]](told)
    client = httpx.Client(base_url=told["url"], headers={"Authorization": f"Bearer {told['token']}"})

    def work(number: int) -> None:
        rng = random.Random(number)
        while not tally.over():
            path, cost = PATHS[rng.choice(told["calls"])]
            begun = time.monotonic()
            while not tally.over() and not acquire(cost):
                time.sleep(0.01)
            if not tally.over():
                with contextlib.suppress(httpx.HTTPError):
                    client.get(path)
                tally.note(begun)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(told["callers"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(told["seconds"] + 5)


def limits(told: dict[str, Any]) -> Any:
    from limits import RateLimitItemPerSecond
    from limits.storage import RedisStorage
    from limits.strategies import FixedWindowRateLimiter

    limiter = FixedWindowRateLimiter(RedisStorage(told["redis"].replace("unix://", "redis+unix://")))
    item = RateLimitItemPerSecond(told["limit"], round(told["window"]))
    return lambda cost: limiter.hit(item, told["token"], cost=cost)


def pyrate(told: dict[str, Any]) -> Any:
    from pyrate_limiter import Limiter, Rate, RedisBucket
    from redis import Redis

    bucket = RedisBucket.init(
        [Rate(told["limit"], round(told["window"] * 1000))], Redis.from_url(told["redis"]), told["token"]
    )
    limiter = Limiter(bucket)
    return lambda cost: limiter.try_acquire("api", weight=cost, blocking=False)


LIMITERS = {"limits": limits, "pyrate-limiter": pyrate}


def main() -> None:
    told = json.loads(sys.argv[1])
    if told["way"] in LIMITERS:
        import httpx  # noqa: F401  # what takes long comes before the start
    else:
        import scapi.sync

        scapi.sync.AppClient.demo(base_url=told["url"]).close()
    print("ready", flush=True)
    told["seconds"] = float(sys.stdin.readline())
    tally = Tally(told)
    if told["way"] in LIMITERS:
        with_limiter(told, tally)
    elif told["world"] == "async":
        asyncio.run(with_tasks(told, tally))
    else:
        with_threads(told, tally)
    print(json.dumps({"seconds": tally.seconds, "failed": tally.failed}))


if __name__ == "__main__":
    main()
