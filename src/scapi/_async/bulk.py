"""Bulk calls: requests for many keys with limited concurrency. Results are yielded as they arrive."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import aclosing
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from scapi._async.results import Results
from scapi._lists.bulk import Step
from scapi._lists.failures import FAILURES
from scapi._primitives import aio
from scapi.models import BulkValue, Listing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator

    from scapi._api.requests import Request
    from scapi._async.session import Session
    from scapi._lists.bulk import Plan, Target
    from scapi._lists.paginator import Paginator
    from scapi.models import BulkResult


A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")


def request_each(session: Session, plan: Plan, build: Callable[[Target], Request[T]], model: type) -> Results[T]:
    """Return the results of one request for each target. `model` is the type of a row, or of the result itself."""

    async def ask(target: Target) -> T:
        return await session.call(build(target))

    return call_each(session, plan, ask, model)


def call_each(session: Session, plan: Plan, ask: aio.Call[Target, T], model: type) -> Results[T]:
    """Return the results of a function that is called with each target."""
    return Results(session, plan, _results(plan, ask), model)


async def _results(plan: Plan, ask: aio.Call[Target, T]) -> AsyncGenerator[BulkResult[T]]:

    async def answer(target: Target) -> BulkResult[T]:
        try:
            return BulkValue(key=target.key, region=target.region, value=await ask(target))
        except FAILURES as error:
            return plan.failed(target, error)

    hold = threading.Lock()
    with hold:
        async with FanOut(answer, plan.targets(), plan.concurrency, hold) as results:
            async for result in results:
                plan.count()
                yield result


async def walk_each(
    session: Session,
    plan: Plan,
    begin: Callable[[Target], Paginator[T]],
    state_of: Callable[[Any, Listing[T]], object] = lambda paginator, page: None,
) -> AsyncGenerator[Step[T]]:
    """Walk the pages of each target. Yields each page with new rows, and always the last one."""
    waiting: _NextSteps[T] = _NextSteps(plan.targets())

    async def step(at: tuple[Target, Paginator[T] | None]) -> Step[T]:
        target, paginator = at
        try:
            paginator = paginator or begin(target)
            page = Listing[T](total=0, limit=0)
            if not paginator.done:
                page = paginator.feed(await session.call(paginator.request, fresh=True))
        except FAILURES as error:
            return Step(target, plan.failed(target, error))
        done = Step(target, BulkValue(key=target.key, region=target.region, value=page), state_of(paginator, page))
        if page.has_more:
            waiting.begun.append((target, paginator))
        return done

    hold = threading.Lock()
    with hold:
        async with FanOut(step, waiting, plan.concurrency, hold) as steps:
            async for done in steps:
                page = done.result.value
                if page is None or not page.has_more:
                    plan.count()
                    yield done
                elif page or page.rejected:
                    yield done


async def pages_of(steps: AsyncGenerator[Step[T]]) -> AsyncGenerator[BulkResult[Listing[T]]]:
    """Yield the results of walks without their states."""
    async with aclosing(steps):
        async for step in steps:
            yield step.result


class _NextSteps(Generic[T]):
    """The next steps to take: the next pages of started walks first, then targets without a walk."""

    def __init__(self, targets: Iterator[Target]) -> None:
        self._targets = targets
        self.begun: deque[tuple[Target, Paginator[T] | None]] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[Target, Paginator[T] | None]:
        return self.begun.popleft() if self.begun else (next(self._targets), None)


class FanOut(Generic[A, R]):
    """Yields the results of many calls as they complete. Leaving the context cancels the calls in progress.

    This is a class because a generator could be closed, by the garbage collector for example, while it is in use.

    Args:
        function: The function to call with each item.
        items: An item is taken whenever a call completes. While calls are in progress, the iterator is tried again even
            if it was exhausted before. Its error is raised after the results that are already there.
        limit: How many calls may be in progress at once, 1 or more.
        hold: Locked while results are needed, see `scapi._primitives.held_objects`.
    """

    def __init__(self, function: aio.Call[A, R], items: Iterable[A], limit: int, hold: threading.Lock) -> None:
        self._function = function
        self._source = iter(items)
        self._limit = limit
        self._workers: aio.Workers[A, R] = aio.Workers(limit, hold)
        self._error: Exception | None = None
        self._begin()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._workers.end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        if self._error:
            raise self._error
        if not self._workers:
            raise StopAsyncIteration
        result = await self._workers.result()
        self._begin()
        return result

    def _begin(self) -> None:
        try:
            for item in islice(self._source, self._limit - len(self._workers)):
                self._workers.start(self._function, item)
        except Exception as error:  # noqa: BLE001  # from the items; `__anext__` raises it
            self._error = error
