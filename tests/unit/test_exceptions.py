"""The errors: their tree, what they say, and that they can be sent to another process."""

from __future__ import annotations

import copy
import pickle

import pytest

from scapi import exceptions
from scapi.exceptions import (
    BadRequestError,
    ClientError,
    ClosedError,
    CredentialsError,
    DecodeError,
    ForbiddenError,
    ItemNameError,
    LeaseLostError,
    LoginError,
    NotFoundError,
    RateLimitError,
    RequestError,
    RequestTimeoutError,
    ScApiException,
    ServerError,
    StoreError,
    StoreVersionError,
    TokenNotSavedError,
    TransportError,
    UnauthorizedError,
)

PARENTS = {
    ScApiException: Exception,
    CredentialsError: ScApiException,
    ClosedError: ScApiException,
    TransportError: ScApiException,
    RequestTimeoutError: TransportError,
    DecodeError: ScApiException,
    RequestError: ScApiException,
    ClientError: RequestError,
    ServerError: RequestError,
    BadRequestError: ClientError,
    UnauthorizedError: ClientError,
    ForbiddenError: ClientError,
    NotFoundError: ClientError,
    RateLimitError: ClientError,
    ItemNameError: ScApiException,
    StoreError: ScApiException,
    StoreVersionError: StoreError,
    LeaseLostError: StoreError,
    LoginError: CredentialsError,
    TokenNotSavedError: CredentialsError,
}

EXAMPLES = [
    ScApiException("what"),
    CredentialsError("none"),
    ItemNameError("unknown", query="AK"),
    StoreError("locked"),
    StoreVersionError("made by a newer release"),
    LeaseLostError("taken over"),
    LoginError("refused", error="access_denied"),
    ClosedError("closed"),
    TransportError("refused"),
    RequestTimeoutError("late", connecting=True),
    DecodeError("not a Lot", body=b"<html>", path="$.lots", model="AuctionLot", url="https://h.test/", status=203),
    RateLimitError("slow down", retry_after=12.5, url="https://h.test/", headers={"x-ratelimit-limit": "400"}),
    *[
        kind("why", status=418, method="POST", url="https://h.test/x", data={"title": "why"}, headers={"a": "b"})
        for kind in (RequestError, ClientError, ServerError, BadRequestError, NotFoundError, UnauthorizedError)
    ],
]


@pytest.mark.parametrize(("kind", "parent"), PARENTS.items())
def test_the_tree(kind: type[Exception], parent: type[Exception]) -> None:
    assert kind.__base__ is parent


def test_every_exported_error_is_in_the_tree() -> None:
    assert {kind.__name__ for kind in PARENTS} == set(exceptions.__all__)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_goes_through_a_pickle_with_all_it_knows(error: ScApiException) -> None:
    error.add_note("for kqgy")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # our own pickle
        assert type(twin) is type(error)
        assert (str(twin), twin.args, vars(twin)) == (str(error), error.args, vars(error))


def test_what_a_request_error_says() -> None:
    error = NotFoundError("no such clan", status=404, url="https://h.test/ru/clan/c/info")
    assert str(error) == "404 no such clan (GET https://h.test/ru/clan/c/info)"
    assert (error.message, error.headers, error.data) == ("no such clan", {}, None)


def test_the_attributes_of_the_others() -> None:
    late, cut = RequestTimeoutError("late"), DecodeError("cut")
    assert late.connecting is False
    assert (cut.body, cut.path, cut.model, cut.url, cut.status) == (b"", "$", "", "", 200)
    assert (RateLimitError("x").retry_after, RateLimitError("x").status) == (60.0, 429)
