"""Siblings agree: an argument means one thing, has one place and is given in one way, wherever it occurs."""

from __future__ import annotations

import inspect
import re
from itertools import combinations
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import scapi
import scapi.sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

FACES = [scapi, scapi.sync]
#: Where programs find classes and functions, beside the face of their world itself.
MODULES = ["files", "frames", "models", "pacing", "plot", "store"]

#: Options that only some functions take by position, each with the reason.
SOME_BY_POSITION = {
    "path": "in a repository it is what a call is about, of a chart it is a file to write too",
}

#: Options that have more than one type, each with the reason.
SEVERAL_TYPES = {
    "by": "a chart has one line per value, so it groups by one thing or decides itself",
    "items": "a collector refuses a lone id, which is more likely a string in the place of a list",
    "model": "get takes a list of models too",
    "path": "in a repository it is text with slashes, on this machine any path",
    "progress": "the collector's is another name of its on_progress",
    "realm": "sync takes all of them too",
    "region": "some calls take several, see REGIONS",
    "resume": "each walk has a state of its own",
    "since": "a bulk call takes a time per item too",
    "sort": "lots and sessions are sorted by different things",
    "state": "each watcher has a state of its own; OAuth calls its nonce so",
    "token": "a user's token is a record with its refresh token",
    "where": "it gets the rows of the call",
}

#: What a call takes for a region: one, or several too. A store takes back the text that its records have.
REGIONS = {
    frozenset({"RegionLike"}),
    frozenset({"RegionLike", "Iterable[RegionLike]"}),
    frozenset({"Region", "str", "Iterable[Region | str]"}),
}


class Function(NamedTuple):
    """A public function, method or constructor."""

    owner: str
    name: str
    call: Any
    doc: str

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}"

    @property
    def parameters(self) -> list[inspect.Parameter]:
        """All parameters but the object itself."""
        found = list(inspect.signature(self.call).parameters.values())
        return [parameter for parameter in found if parameter.name not in {"self", "cls"}]

    @property
    def options(self) -> list[inspect.Parameter]:
        """The parameters that may be left out."""
        return [one for one in self.parameters if one.default is not one.empty]

    @property
    def documented(self) -> list[str]:
        """The names in the section `Args:` of the docstring, in its order."""
        found = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", inspect.cleandoc(self.doc), re.MULTILINE | re.DOTALL)
        return re.findall(r"^    (\w+): ", found[1], re.MULTILINE) if found else []


def functions(face: ModuleType) -> Iterator[Function]:
    """All that a program can call by name, once."""
    homes = [face, *(getattr(face, name) for name in MODULES)]
    public = [getattr(home, name) for home in homes for name in home.__all__]
    for value in dict.fromkeys(each for each in public if inspect.isclass(each) or inspect.isfunction(each)):
        if inspect.isfunction(value):
            yield Function(value.__module__, value.__name__, value, value.__doc__ or "")
        elif not issubclass(value, BaseException):
            yield from methods(value)


def methods(kind: type) -> Iterator[Function]:
    """The constructor of a class, if programs are meant to call it, and its public methods."""
    doc = kind.__doc__ or ""
    if "__init__" in vars(kind) and "\nArgs:\n" in inspect.cleandoc(doc):
        yield Function(kind.__name__, "__init__", kind.__init__, doc)
    own = [base for base in kind.__mro__ if base.__module__.startswith("scapi")]
    for name in sorted({name for base in own for name, member in vars(base).items() if is_method(name, member)}):
        method = getattr(kind, name)
        yield Function(kind.__name__, name, method, method.__doc__ or "")


def is_method(name: str, member: object) -> bool:
    """Whether it is a public method."""
    return not name.startswith("_") and isinstance(member, FunctionType | classmethod | staticmethod)


def test_the_rules_look_at_all_there_is() -> None:
    for face in FACES:
        found = set(map(str, functions(face)))
        assert {"AppClient.__init__", "AppClient.emission", "UserClient.friends", "UserClient.with_options"} <= found
        assert {"AuctionEndpoint.lots", "AuctionsEndpoint.watch_sales", "Store.stats", "Collector.__init__"} <= found
        assert {"DatabaseLookup.sync", "RedisBudget.from_url", "Quality.label", "Listing.to_polars"} <= found
        assert len(found) > 150


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__)
def test_docstrings_name_the_parameters_in_their_order(face: ModuleType) -> None:
    wrong = {
        str(function): (names, function.documented)
        for function in functions(face)
        if (names := [parameter.name for parameter in function.parameters]) != function.documented
    }
    assert wrong == {}


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__)
def test_keyword_only_options_come_in_one_order(face: ModuleType) -> None:
    seen: dict[tuple[str, str], str] = {}
    for function in functions(face):
        names = [option.name for option in function.options if option.kind is option.KEYWORD_ONLY]
        for pair in combinations(names, 2):
            seen.setdefault(pair, str(function))
    assert [(one, other, place, seen[other, one]) for (one, other), place in seen.items() if (other, one) in seen] == []


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__)
def test_an_option_is_keyword_only_everywhere_or_nowhere(face: ModuleType) -> None:
    """All arguments of a constructor but the first ones are keyword-only, so constructors don't count."""
    kinds: dict[str, dict[bool, str]] = {}
    for function in functions(face):
        for option in function.options:
            if function.name != "__init__" and option.name != "region":
                kinds.setdefault(option.name, {}).setdefault(option.kind is option.KEYWORD_ONLY, str(function))
    assert {name: places for name, places in kinds.items() if len(places) > 1}.keys() == SOME_BY_POSITION.keys()


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__)
def test_a_region_goes_by_position_right_behind_what_a_client_is_asked_for(face: ModuleType) -> None:
    """`profile("name", "eu")` and `emission("eu")`; by name behind other options, and where a region was given."""
    for function in functions(face):
        names = [option.name for option in function.options]
        if "region" in names and function.name != "__init__":
            by_position = function.owner in {"AppClient", "UserClient"} and names[0] == "region"
            option = function.options[names.index("region")]
            assert (option.kind is not option.KEYWORD_ONLY) is by_position, function


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.__name__)
def test_an_option_has_one_type(face: ModuleType) -> None:
    types: dict[str, dict[frozenset[str], str]] = {}
    for function in functions(face):
        for option in function.options:
            # Whether it may be None is a question of the default.
            kind = frozenset(re.split(r" \| (?![^\[]*\])", option.annotation)) - {"None"}
            types.setdefault(option.name, {}).setdefault(kind, str(function))
    assert {name for name, places in types.items() if len(places) > 1} == SEVERAL_TYPES.keys()
    assert set(types["region"]) == REGIONS
