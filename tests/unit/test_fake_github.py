"""The fake's GitHub, as it looks from outside the library."""

from __future__ import annotations

import gzip
from typing import Any

import msgspec
import pytest

from scapi._items import database
from scapi.enums import IndexFile
from scapi.testing import FakeApi, Reply

RAW = "/EXBO-Studio/stalzone-database/main"
API = "/repos/EXBO-Studio/stalzone-database"


def get(fake: FakeApi, target: str, **headers: str) -> Reply:
    return fake.handle("GET", target, [(name.replace("_", "-"), value) for name, value in headers.items()])


def said(reply: Reply) -> Any:
    return msgspec.json.decode(reply.body)


def test_the_same_seed_gives_the_same_files_and_commits() -> None:
    one, same, other = FakeApi(), FakeApi(), FakeApi(seed=1)
    assert one.github.files == same.github.files != other.github.files
    assert one.github.push_commit({"a": b""}) == same.github.push_commit({"a": b""})


@pytest.mark.parametrize("realm", ["ru", "global"])
def test_every_file_is_in_the_shape_of_the_official_one(realm: str) -> None:
    fake = FakeApi(items={"new1": "artefact/gravity"})
    files = fake.github.files
    for kind in IndexFile:
        index = database.read_index(kind, files[f"{realm}/{kind}.json"])
        assert index.entries
        assert not index.rejected
    items = database.read_index(IndexFile.LISTING, files[f"{realm}/listing.json"]).entries
    assert "new1" in items
    for entry in items.values():
        assert entry.path is not None
        assert entry.icon is not None
        assert database.read_item(files[f"{realm}{entry.path}"]).id == entry.id
        assert database.read_icon(files[f"{realm}{entry.icon}"])
    assert f"{realm}/items/artefact/gravity/_variants/new1/15.json" in files
    assert not any(
        settlement.recipes.rejected for settlement in database.read_barter(files[f"{realm}/barter_recipes.json"])
    )
    assert database.read_hideout(files[f"{realm}/hideout_recipes.json"]).recipes


def test_a_file_has_an_etag_that_spares_its_body() -> None:
    fake = FakeApi()
    whole = get(fake, f"{RAW}/ru/listing.json")
    assert (whole.status, whole.body) == (200, fake.github.files["ru/listing.json"])
    etag = whole.headers["etag"]
    same = get(fake, f"{RAW}/ru/listing.json", if_none_match=f'"other", W/{etag}')
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", etag)
    fake.github.edit_item("zyv9", en="Renamed")
    assert get(fake, f"{RAW}/ru/listing.json", if_none_match=etag).status == 200
    assert get(fake, f"{RAW}/nothing").status == 404
    assert get(fake, "/EXBO-Studio/stalzone-database/branch/ru/listing.json").status == 404


def test_files_are_packed_on_their_way_but_pictures_and_archives_are_not() -> None:
    fake = FakeApi()
    listing = get(fake, f"{RAW}/ru/listing.json", accept_encoding="gzip")
    assert gzip.decompress(listing.body) == fake.github.files["ru/listing.json"]
    place = get(fake, f"{API}/tarball").headers["location"]
    assert "content-encoding" not in get(fake, place, accept_encoding="gzip").headers


def test_an_edited_item_has_its_new_name_in_every_file() -> None:
    fake = FakeApi()
    fake.github.edit_item("zyv9", en="Tear", de="Träne")
    for realm in ("ru", "global"):
        listing = database.read_index(IndexFile.LISTING, fake.github.files[f"{realm}/listing.json"])
        entry = listing.entries["zyv9"]
        assert [entry.name(language) for language in ("en", "de", "ru")] == ["Tear", "Träne", "Слеза Зоны"]
        for path in (entry.path, "/items/artefact/biochemical/_variants/zyv9/7.json"):
            assert database.read_item(fake.github.files[f"{realm}{path}"]).name("de") == "Träne"
    with pytest.raises(ValueError, match="item_id 'nope' is unknown"):
        fake.github.edit_item("nope", en="x")
    with pytest.raises(ValueError, match="there is no file 'nope' to remove"):
        fake.github.push_commit({"nope": None})


def test_the_api_counts_and_files_do_not() -> None:
    fake = FakeApi()
    headers = get(fake, f"{API}/commits/main").headers
    assert {name: headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset")} == {
        "limit": "60",
        "remaining": "59",
        # In seconds, and at the full hour.
        "reset": str(int(fake.now.timestamp()) + 3600),
    }
    assert "x-ratelimit-limit" not in get(fake, f"{RAW}/ru/stats.json").headers
    assert fake.github.spend(0) == 59
    assert fake.github.spend(1000) == 0
    refused = get(fake, f"{API}/commits/main")
    assert (refused.status, refused.headers["x-ratelimit-remaining"]) == (403, "0")
    assert "rate limit exceeded" in said(refused)["message"]
    assert get(fake, f"{API}/commits/main", authorization=f"Bearer {fake.github.token}").status == 200
    fake.advance(3600)
    assert get(fake, f"{API}/commits/main").status == 200


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/repos/somebody/else/commits/main", 404),
        (f"{API}/commits/nope", 404),
        (f"{API}/compare/main", 404),
        (f"{API}/compare/main...nope", 404),
        (f"{API}/contents/nope", 404),
        (f"{API}/nope", 404),
        (f"{API}/tarball/main", 302),
        (f"{API}/zipball/HEAD", 302),
    ],
)
def test_what_is_not_there_is_an_error_in_githubs_shape(target: str, status: int) -> None:
    reply = get(FakeApi(), target)
    assert reply.status == status
    assert status == 302 or said(reply)["message"]


def test_the_games_api_is_reached_as_before() -> None:
    fake = FakeApi()
    assert get(fake, "/regions").status == 200
    assert get(fake, "/ru/emission").status == 401
    assert get(fake, "/a/b/c/d").status == 404
