"""The auction: lots on offer and sales made."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from scapi._base import labels
from scapi.enums import Quality
from scapi.models import _identity
from scapi.models._base import Model, Time
from scapi.models.details import PieceDetails, details_of, whole

if TYPE_CHECKING:
    from scapi.enums import LanguageLike

__all__ = ["LOT_VOLATILE", "SALES_OVERLAP", "AuctionLot", "AuctionPrice"]

#: How late a sale may appear. Sales appear minutes after they were made, some later than others. So read again the
#: sales of this time before the newest one that you know, and skip those that you have, by `AuctionPrice.key()`.
SALES_OVERLAP = timedelta(minutes=30)

#: The first part of the categories whose items have a quality.
ARTEFACT = "artefact"

#: The fields on the wire that change while a lot stays the same lot.
LOT_VOLATILE = frozenset({"currentPrice"})


class _Traded(Model, frozen=True, kw_only=True):
    """The part that lots and sales have in common: the piece itself, which comes with `additional=True`."""

    if TYPE_CHECKING:
        # Declared by each model in the order of its own fields.
        additional: dict[str, Any]

    @property
    def quality(self) -> Quality | None:
        """The quality of an artefact, from `additional["qlt"]`; `None` if the server didn't send it.

        The server also omits it for some common artefacts. `quality_in` distinguishes these from items without a
        quality.
        """
        quality = whole(self.additional.get("qlt"))
        return None if quality is None else Quality(quality)

    def quality_in(self, category: str | None) -> Quality | None:
        """Return the quality if the item's category is known.

        This is the only place that decides what a row without `qlt` is.

        Args:
            category: The category in the item database, such as `artefact/gravity`; `None` if it is unknown.

        Returns:
            For an artefact its quality, which is common if the server didn't send it; `None` for all other items.
            Without a category the same as `quality`.
        """
        if category is None:
            return self.quality
        if category.partition("/")[0] != ARTEFACT:
            return None
        return self.quality or Quality.COMMON

    @property
    def upgrade_level(self) -> int:
        """The upgrade level, from `additional["ptn"]`; 0 if it is absent."""
        return whole(self.additional.get("ptn")) or 0

    @property
    def level_color(self) -> str | None:
        """A colour for the upgrade level, such as `#3f86f5`: one each from +1, +5, +10 and +15.

        `None` for level 0. The game has no colours for levels, so these are ours.
        """
        return labels.level_color(self.upgrade_level)

    @property
    def details(self) -> PieceDetails:
        """The other contents of `additional` as fields: charge, transfers, bonus properties and so on."""
        return details_of(self.additional, self.quality)

    def label(self, language: LanguageLike = "en") -> str:
        """Return quality and upgrade level in the words of the game, such as `Rare +7`.

        Args:
            language: A language of the item database (`ru en es fr ko`), as enum or string, any case.

        Returns:
            `Rare +7`, `Rare` for level 0, `+7` for a piece without a quality, and an empty string without both.
        """
        quality = "" if self.quality is None else self.quality.label(language)
        return f"{quality} {f'+{self.upgrade_level}' if self.upgrade_level else ''}".strip()


def _per_piece(price: int, amount: int) -> float:
    try:
        return price / amount
    except OverflowError:
        return math.inf if (price < 0) == (amount < 0) else -math.inf


class AuctionLot(_Traded, frozen=True, kw_only=True, rename="camel", gc=False):
    """A lot on offer. Prices are for the whole lot. Lots have no id.

    Attributes:
        item_id: The item.
        amount: The number of pieces in the lot.
        start_price: The price that bidding starts at; 0 without bidding, `None` if the server didn't send it.
        current_price: The highest bid, or `None` without a bid.
        buyout_price: The price to buy the lot at once; 0 if that is not possible, `None` if the server didn't send it.
        start_time: When it was put up, if the server sent it.
        end_time: When it ends, if the server sent it. The server still returns lots for a while after that.
        additional: The details of the piece, unchanged; empty without `additional=True`.
    """

    # A lot with an unreadable price is rejected: `None` would mean "no bid" or "no buyout".
    _exact: ClassVar[frozenset[str]] = frozenset({"start_price", "current_price", "buyout_price"})
    _page: ClassVar[tuple[str, str]] = ("lots", "total")

    item_id: str
    amount: int
    start_price: int | None = None
    current_price: int | None = None
    buyout_price: int | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    additional: dict[str, Any] = {}

    @property
    def unit_price(self) -> float | None:
        """The buyout price per piece; infinite if it is too large for a float.

        `None` if the lot has no buyout, or the server didn't send it.
        """
        return _per_piece(self.buyout_price, self.amount) if self.buyout_price and self.amount else None

    def key(self) -> int:
        """Return a signed 64-bit integer that identifies this lot. It depends on all fields but the bid.

        It is the same in every process and version, and in whatever order the server sends lists and keys.
        `additional` is part of it, so use `additional=True` always or never. Equal lots have equal keys:
        `scapi.numbered` counts them.
        """
        raw = msgspec.to_builtins(self)
        return _identity.key({name: raw[name] for name in raw.keys() - LOT_VOLATILE})


class AuctionPrice(_Traded, frozen=True, kw_only=True, rename="camel", gc=False):
    """A sale.

    Attributes:
        amount: The number of pieces that were sold.
        price: The price of all of them together.
        time: When they were sold.
        additional: The details of the piece, unchanged; empty without `additional=True`.
    """

    _page: ClassVar[tuple[str, str]] = ("prices", "total")

    amount: int
    price: int
    time: Time
    additional: dict[str, Any] = {}

    @property
    def unit_price(self) -> float:
        """The price per piece; the whole price if the amount is 0; infinite if it is too large for a float."""
        return _per_piece(self.price, self.amount or 1)

    def key(self) -> int:
        """Return a signed 64-bit integer that identifies this sale. It depends on all fields.

        It is the same in every process and version, and in whatever order the server sends lists and keys.
        `additional` is part of it, so use `additional=True` always or never. Equal sales have equal keys:
        `scapi.numbered` counts them.
        """
        return _identity.key(self)
