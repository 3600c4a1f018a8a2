from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.wire import WireServer, wire_server
from tests.worlds.both import WORLDS, World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=WORLDS, ids=str)
def world(request: pytest.FixtureRequest) -> World:
    """Each of the two worlds in turn."""
    found: World = request.param
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[WireServer]:
    """A server that misbehaves on the wire, one for all tests of a module."""
    with wire_server() as server:
        yield server
