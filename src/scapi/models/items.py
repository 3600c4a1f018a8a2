"""Records of the official item database (EXBO-Studio/stalzone-database)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapi.config import Config
from scapi.enums import ItemRank
from scapi.models._base import Model
from scapi.models.listing import Listing  # msgspec reads annotations at run time

if TYPE_CHECKING:
    from scapi.enums import LanguageLike

__all__ = [
    "BarterOffer",
    "BarterRecipe",
    "BarterSettlement",
    "Hideout",
    "HideoutPerk",
    "HideoutRecipe",
    "HideoutRequirements",
    "ItemAmount",
    "ItemInfo",
    "Lookup",
    "Translation",
]


class Translation(Model, frozen=True, kw_only=True, rename="camel"):
    """A text of the game in the languages that the database has (`ru en es fr ko` in 2026).

    Attributes:
        key: The game's own key of the text; empty without one.
        lines: The text by language. Empty for a text that is the same in all languages.
        text: That text, for entries of the type "text".
        args: The values that the game filled in, as strings; `lines` already contain them.
    """

    key: str = ""
    lines: dict[str, str] = {}
    text: str = ""
    args: dict[str, Any] = {}

    def get(self, language: LanguageLike | None = None) -> str:
        """Return the text in one language, or in the next best one.

        Args:
            language: A language of the database, as enum or string, any case. Defaults to `Config.LANGUAGE`.

        Returns:
            The text in that language, otherwise in English, in Russian, in any language, or the text without a
            language; empty if there is no text.
        """
        wanted = (str(language or Config.LANGUAGE).lower(), "en", "ru", *self.lines)
        return next((self.lines[code] for code in wanted if self.lines.get(code, "").strip()), self.text)


class _Entry(Model, frozen=True, kw_only=True, rename="camel"):
    """The fields that index entries and item files have in common."""

    id: str
    translation: Translation
    category: str | None = None
    color: str | None = None
    status: str | None = None
    data: dict[str, Any]

    def name(self, language: LanguageLike | None = None) -> str:
        """Return the name in one language.

        Args:
            language: A language of the database, as enum or string, any case. Defaults to `Config.LANGUAGE`.

        Returns:
            The result of `Translation.get`; the id if the database has no name.
        """
        return self.translation.get(language) or self.id

    @property
    def rank(self) -> ItemRank | None:
        """The rank that a character needs for the item, from its colour; `None` if none is needed."""
        return ItemRank(self.color) if self.color and self.color.startswith("RANK_") else None


class Lookup(_Entry, frozen=True, kw_only=True, rename="camel"):
    """One entry of an index file, found by a search or by its id.

    Attributes:
        id: The id for the API, e.g. `zyv9`.
        translation: The name in all its languages; see `name`.
        category: The folder of an item, e.g. `weapon/assault_rifle`, or the group of a stat; otherwise `None`.
        path: The path of the item's own file, e.g. `/items/other/qyvk.json`; only items have one.
        icon: The path of its icon, e.g. `/icons/other/qyvk.png`; only items have one.
        color: The item's rank colour, e.g. `RANK_MASTER`.
        status: How the item binds to its owner, e.g. `PERSONAL_ON_USE`.
        score: How well it matches the query, 0 to 100; 100 is an exact name or id.
        ambiguous: Whether another id matches the query equally well.
        data: The entry in the database, unchanged.
    """

    path: str | None = None
    icon: str | None = None
    score: float = 100.0
    ambiguous: bool = False


class ItemInfo(_Entry, frozen=True, kw_only=True, rename="camel"):
    """The file of one item, at one upgrade level.

    Attributes:
        id: The id for the API.
        translation: The name in all its languages; see `name`.
        category: The item's folder, e.g. `artefact/gravity`.
        color: The item's rank colour.
        status: How the item binds to its owner.
        info_blocks: The blocks of the item's card, as in the database; some are empty dicts.
        data: The whole file, unchanged.
    """

    info_blocks: list[dict[str, Any]]


class ItemAmount(Model, frozen=True, kw_only=True, rename="camel"):
    """An amount of one item.

    Attributes:
        item: The id of the item.
        amount: The number of pieces.
    """

    item: str
    amount: int = 1


class BarterOffer(Model, frozen=True, kw_only=True, rename="camel"):
    """One way to pay for a recipe.

    Attributes:
        currency: The currency of `cost`: `money` or `sleeves` in 2026.
        cost: The price in that currency, in addition to the items.
        required_items: The items that are part of the price.
    """

    currency: str | None = None
    cost: int = 0
    required_items: list[ItemAmount] = []


class BarterRecipe(Model, frozen=True, kw_only=True, rename="camel"):
    """One item that a settlement barters. The same item may have several recipes.

    Attributes:
        item: The id of the item to get.
        settlement_required_level: The lowest level of the settlement that offers it.
        offers: The ways to pay; one of them is enough.
    """

    item: str
    settlement_required_level: int = 0
    offers: list[BarterOffer] = []


class BarterSettlement(Model, frozen=True, kw_only=True, rename="camel"):
    """The recipes of one settlement. Titles repeat, so don't use them as keys.

    Attributes:
        settlement_title: The settlement's name.
        recipes: Its recipes. Those that could not be read are in `rejected`.
    """

    settlement_title: Translation
    recipes: Listing[BarterRecipe]


class HideoutPerk(Model, frozen=True, kw_only=True, rename="camel"):
    """A skill that hideout recipes require.

    Attributes:
        id: The perk's id, as in `HideoutRequirements.perks`.
        name: Its name.
        desc: Its description.
    """

    id: str
    name: Translation
    desc: Translation = Translation()


class HideoutRequirements(Model, frozen=True, kw_only=True, rename="camel"):
    """The requirements of a hideout recipe.

    Attributes:
        perks: The required level by the id of the perk.
        features: The required benches and tools, e.g. `precise_tools`.
    """

    perks: dict[str, int] = {}
    features: list[str] = []


class HideoutRecipe(Model, frozen=True, kw_only=True, rename="camel"):
    """A recipe of the hideout.

    Attributes:
        bench: Where it is made: `workbench`, `laboratory_table` or `kitchen_table` in 2026.
        category: Its tab.
        subcategory: Its group in the tab.
        result: The items that it makes.
        ingredients: The items that it uses up.
        energy: The energy that it costs.
        requirements: The required perks, benches and tools.
    """

    bench: str | None = None
    category: Translation = Translation()
    subcategory: Translation = Translation()
    result: list[ItemAmount]
    ingredients: list[ItemAmount] = []
    energy: float = 0.0
    requirements: HideoutRequirements = HideoutRequirements()


class Hideout(Model, frozen=True, kw_only=True, rename="camel"):
    """The hideout's perks and recipes.

    Attributes:
        perks: The skills that recipes require. Those that could not be read are in `rejected`.
        recipes: The recipes, with a `rejected` of their own.
    """

    perks: Listing[HideoutPerk]
    recipes: Listing[HideoutRecipe]
