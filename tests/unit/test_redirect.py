"""A redirect may lead to another path of the same host, and nowhere else."""

from __future__ import annotations

import pytest

from scapi._http import redirects
from scapi._http.messages import HttpResponse

HERE = "https://h.test/ru/emission?x=1"


def target(location: str, *, status: int = 302, here: str = HERE) -> str | None:
    return redirects.target(HttpResponse(status, {"location": location}, b""), here)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("/eu/emission", "https://h.test/eu/emission"),
        ("clans", "https://h.test/ru/clans"),
        ("https://h.test/a?b=c", "https://h.test/a?b=c"),
        ("//h.test/a", "https://h.test/a"),
        ("https://H.TEST/a", "https://H.TEST/a"),
    ],
)
def test_the_same_host_is_followed(status: int, location: str, there: str) -> None:
    assert target(location, status=status) == there


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.test/",
        "//elsewhere.test/",
        "https://h.test.evil.test/",
        "https://h.test:8443/",
        "http://h.test/",
        "https://me@h.test/",
        "https://me:pw@h.test/",
        "https://h.test:x/",
        "https://[h.test/",
        "ftp://h.test/",
    ],
)
def test_another_host_port_or_scheme_is_not(location: str) -> None:
    assert target(location) is None


def test_from_http_to_https_is_the_same_host() -> None:
    assert target("https://h.test/a", here="http://h.test/a") == "https://h.test/a"
    assert target("https://h.test:444/a", here="http://h.test:8000/a") is None


@pytest.mark.parametrize("status", [200, 300, 304, 404])
def test_another_status_is_no_redirect(status: int) -> None:
    assert target("/a", status=status) is None


def test_without_a_location_there_is_nowhere_to_go() -> None:
    assert redirects.target(HttpResponse(302, {}, b""), HERE) is None
    assert target("") is None
