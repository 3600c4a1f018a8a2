"""How type checkers learn what `json=True` does to results: the only purpose of everything in here.

A client is generic in its option `json`: `AppClient` alone means `AppClient[Literal[False]]`, which returns models, and
`AppClient[bool]` is one that may return plain JSON. An overload of each method would say the same in 400 lines more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, Protocol, TypeVar, cast, overload

if TYPE_CHECKING:
    from collections.abc import Callable

    # Python 3.11 knows no type parameters with a default. Type checkers bring this package with them.
    from typing_extensions import TypeVar as TypeVarWithDefault

    JsonT_co = TypeVarWithDefault("JsonT_co", bound=bool, default=Literal[False], covariant=True)
else:
    JsonT_co = TypeVar("JsonT_co", bound=bool, covariant=True)

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class ModelOrJson(Generic[JsonT_co]):
    """Something whose methods return models, or plain JSON with `json=True`."""


class _Method(Protocol[P, R_co]):
    @overload
    def __get__(self, instance: None, owner: type) -> Callable[Concatenate[Any, P], R_co]: ...
    @overload
    def __get__(self, instance: ModelOrJson[Literal[False]], owner: type) -> Callable[P, R_co]: ...
    @overload
    def __get__(self, instance: ModelOrJson[bool], owner: type) -> Callable[P, Any]: ...


def model_or_json(method: Callable[Concatenate[Any, P], R_co]) -> _Method[P, R_co]:
    """Return the method itself, with a result that is `Any` where the client may return plain JSON."""
    return cast("_Method[P, R_co]", method)
