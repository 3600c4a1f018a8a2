"""What a request of a list carries, and how it is spelled on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scapi._api import requests
from scapi.enums import Order, SortOperations

if TYPE_CHECKING:
    from scapi.models import OperationSession


def sessions() -> requests.ListRequest[OperationSession]:
    return requests.operations_sessions(
        "EU",
        limit=20,
        offset=40,
        sort="difficulty",
        order="asc",
        map="some new map",
        username="Ün & co",
        before=datetime(2026, 1, 2, tzinfo=UTC),
        after=None,
    )


def test_a_list_request_knows_what_it_asks_for() -> None:
    request = sessions()
    assert request.page == (20, 40)
    assert (request.sort, request.order) == (SortOperations.DIFFICULTY, Order.ASCENDING)
    assert request.params["username"] == "Ün & co"


def test_its_target_is_encoded_once() -> None:
    assert sessions().target == (
        "/eu/operations/sessions?limit=20&offset=40&sort=difficulty&order=asc&map=some+new+map"
        "&username=%C3%9Cn+%26+co&before=2026-01-02T00%3A00%3A00Z"
    )


def test_another_page_differs_in_its_place_alone() -> None:
    first = sessions()
    second = first.with_page(limit=100, offset=0)
    assert second.page == (100, 0)
    assert second.target == first.target.replace("limit=20&offset=40", "limit=100&offset=0")
    assert (second.sort, second.order) == (first.sort, first.order)
    assert second.decode(b'{"sessions": [], "total": 7}').limit == 100


def test_a_request_without_parameters_has_no_query() -> None:
    assert requests.emission("ru").target == "/ru/emission"
