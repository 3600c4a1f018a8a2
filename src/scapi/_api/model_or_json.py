"""Types that tell type checkers how `json=True` changes results. Nothing here has an effect at run time.

A client is generic in its option `json`: `AppClient` means `AppClient[Literal[False]]`, which returns models, and
`AppClient[bool]` may return plain JSON. Overloads of each method would need 400 more lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, Protocol, TypeVar, cast, overload

if TYPE_CHECKING:
    from collections.abc import Callable

    # Python 3.11 has no type parameters with defaults. Type checkers include this package.
    from typing_extensions import TypeVar as TypeVarWithDefault

    JsonT_co = TypeVarWithDefault("JsonT_co", bound=bool, default=Literal[False], covariant=True)
else:
    JsonT_co = TypeVar("JsonT_co", bound=bool, covariant=True)

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class ModelOrJson(Generic[JsonT_co]):
    """A class with methods that return models, or plain JSON with `json=True`."""


class _Method(Protocol[P, R_co]):
    @overload
    def __get__(self, instance: None, owner: type) -> Callable[Concatenate[Any, P], R_co]: ...
    @overload
    def __get__(self, instance: ModelOrJson[Literal[False]], owner: type) -> Callable[P, R_co]: ...
    @overload
    def __get__(self, instance: ModelOrJson[bool], owner: type) -> Callable[P, Any]: ...


def model_or_json(method: Callable[Concatenate[Any, P], R_co]) -> _Method[P, R_co]:
    """Return the method itself. Its result type becomes `Any` if the client may return plain JSON."""
    return cast("_Method[P, R_co]", method)
