"""What `on_response` takes, in both worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import scapi
import scapi.sync

if TYPE_CHECKING:
    from scapi.models import ResponseInfo


async def wait(info: ResponseInfo) -> None:
    """A function that has to be awaited."""


class Waiting:
    async def __call__(self, info: ResponseInfo) -> None:
        """The same as an object."""


@pytest.mark.parametrize("hook", [wait, Waiting()], ids=["function", "object"])
def test_what_has_to_be_awaited_is_refused_in_both_worlds(hook: object) -> None:
    for client in (scapi.AppClient, scapi.sync.AppClient):
        with pytest.raises(TypeError, match="on_response must be a plain function"):
            client(token="t", on_response=hook)
