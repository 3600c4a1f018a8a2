"""The results of a bulk call: an iterator, or one frame with all rows."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from scapi._lists.bulk import Target
from scapi._primitives import aio
from scapi._views import builders
from scapi.models import AuctionPrice, BulkWalkState, Listing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from scapi._async.session import Session
    from scapi._lists.bulk import Plan, Step
    from scapi._views.builders import Library
    from scapi.models import BulkResult, SalesWalkState


T = TypeVar("T")
F = TypeVar("F")


class Results(Generic[T]):
    """An iterator over the results of a bulk call, which can also load them into a frame without keeping the models.

    `to_polars()` and the similar methods read the remaining results into the columns of one frame, in the order in
    which they arrive. The columns `key` and `region` identify the request. Memory holds the frame so far and the calls
    in progress. Columns and types are those of `scapi.frames`. Nothing is sent before you request the first result or
    a frame.

    Errors are never hidden as an empty frame or missing rows. With `on_error="raise"`, the first error is raised. With
    `on_error="yield"`, the frame contains the rows that could be read, and the results with an error are appended to
    `errors`, which is required then.
    """

    __module__ = aio.PUBLIC

    def __init__(self, session: Session, plan: Plan, results: AsyncGenerator[Any], model: type) -> None:
        self._plan = plan
        self._results = results
        self._model = model
        self._json = session.settings.json

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BulkResult[T]:
        result: BulkResult[T] = await self._results.__anext__()
        return result

    async def aclose(self) -> None:
        """End the iteration and cancel the calls in progress."""
        await self._results.aclose()

    async def to_dicts(
        self, *, flatten: bool = False, explode: bool = False, errors: list[BulkResult[Any]] | None = None
    ) -> list[dict[str, Any]]:
        """Return all rows as plain dicts with aware times.

        Args:
            flatten: Put each known key of `additional` in its own column.
            explode: Put each statistic of a profile in its own row.
            errors: With `on_error="yield"`, a list to which results with an error are appended. The rows include the
                pages of an item that came before its error.

        Raises:
            ValueError: There is nothing to flatten or explode, `errors` is missing with `on_error="yield"` or given
                without it, or the client has `json=True`; all are raised before anything is sent. Or an integer needs
                more than 64 bits, or a year is outside 1 to 9999.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        return await self._built(builders.dicts(), flatten, explode, errors)

    async def to_polars(
        self, *, flatten: bool = False, explode: bool = False, errors: list[BulkResult[Any]] | None = None
    ) -> pl.DataFrame:
        """Read all rows into a polars frame; needs the extra `polars`.

        Args:
            flatten: Put each known key of `additional` in its own column.
            explode: Put each statistic of a profile in its own row.
            errors: See `to_dicts`.

        Raises:
            ImportError: polars isn't installed; nothing was sent.
            ValueError: See `to_dicts`.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        return await self._built(builders.polars(), flatten, explode, errors)

    async def to_pandas(
        self, *, flatten: bool = False, explode: bool = False, errors: list[BulkResult[Any]] | None = None
    ) -> pd.DataFrame:
        """Read all rows into a pandas frame; needs the extra `pandas`.

        Args:
            flatten: Put each known key of `additional` in its own column.
            explode: Put each statistic of a profile in its own row.
            errors: See `to_dicts`.

        Raises:
            ImportError: pandas isn't installed; nothing was sent.
            ValueError: See `to_dicts`.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        return await self._built(builders.pandas(), flatten, explode, errors)

    async def to_arrow(
        self, *, flatten: bool = False, explode: bool = False, errors: list[BulkResult[Any]] | None = None
    ) -> pa.Table:
        """Read all rows into an Arrow table; needs the extra `arrow`.

        Args:
            flatten: Put each known key of `additional` in its own column.
            explode: Put each statistic of a profile in its own row.
            errors: See `to_dicts`.

        Raises:
            ImportError: pyarrow isn't installed; nothing was sent.
            ValueError: See `to_dicts`.
            ScApiException: Any failure, with `on_error="raise"`.
        """
        return await self._built(builders.arrow(), flatten, explode, errors)

    async def _built(
        self, library: Library[F], flatten: bool, explode: bool, errors: list[BulkResult[Any]] | None
    ) -> F:
        builders.refuse_json(self._json)
        self._plan.check_errors(errors)
        builder = builders.Builder(library, self._model, flatten=flatten, explode=explode, keyed=True)
        async with aclosing(self):
            async for result in self:
                if errors is not None and result.error is not None:
                    errors.append(result)
                else:
                    builder.add_result(result)
        return builder.finish()


class SaleResults(Results[Listing[AuctionPrice]]):
    """An iterator over the sales of many items, page by page, that can be stopped and resumed."""

    __module__ = aio.PUBLIC

    def __init__(
        self, session: Session, plan: Plan, steps: AsyncGenerator[Step[AuctionPrice]], resumed: Iterable[SalesWalkState]
    ) -> None:
        super().__init__(session, plan, steps, AuctionPrice)
        self._states = {Target(state.region, state.item_id): state for state in resumed}

    async def __anext__(self) -> BulkResult[Listing[AuctionPrice]]:
        step: Step[AuctionPrice] = await self._results.__anext__()
        if step.state is not None:
            self._states[step.target] = step.state
        return step.result

    @property
    def state(self) -> BulkWalkState:
        """The state to resume from. It covers exactly the pages that were returned so far.

        Save it after you have processed a page. Walks that are resumed from it fetch only the rest.
        """
        return BulkWalkState(walks=list(self._states.values()))
