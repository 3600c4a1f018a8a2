"""The page on the API has the paths that the fake answers, and the points that the budget knows."""

from __future__ import annotations

import re

from scapi.pacing import KNOWN_COSTS
from scapi.testing._routes import ROUTES
from tests.docs.pages import DOCS

ROWS = re.findall(r"^\| `(/.+?)` \| (\w+) \| (\w+) \| `(.+?)` \|$", (DOCS / "api.md").read_text("utf-8"), re.MULTILINE)


def test_every_path_is_there_with_the_key_that_it_needs() -> None:
    keys = {"none": "open", "application": "app", "user": "user"}
    assert {(path, keys[key]) for path, key, _, _ in ROWS} == {(route.pattern, route.access) for route in ROUTES}


def test_the_points_are_those_that_are_known() -> None:
    methods = {re.findall(r"(\w+)\(", call)[-1]: points for _, _, points, call in ROWS}
    assert {name: int(points) for name, points in methods.items() if points != "unknown"} == dict(KNOWN_COSTS)
