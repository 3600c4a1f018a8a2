from typing import assert_type

import scapi
import scapi.sync
from scapi.models import DatabaseState, ItemInfo, Lookup, RawFile


async def async_world(lookup: scapi.DatabaseLookup, github: scapi.GitHubClient, etag: str | None) -> None:
    assert_type(await lookup.id("AK-105"), str)
    assert_type(await lookup.search("AK-105"), list[Lookup])
    assert_type(await lookup.find_one("AK-105"), Lookup | None)
    assert_type(await lookup.item_info("AK-105", 15), ItemInfo)
    assert_type(await lookup.item_icon("AK-105"), bytes)
    assert_type(await lookup.sync(force=True, realm="all"), DatabaseState)
    assert_type(await lookup.search("kil", filename="stats", realm="global"), list[Lookup])
    assert_type(await lookup.names("ru", filename="achievements"), dict[str, str])
    assert_type(await github.rawfile("a"), RawFile)
    assert_type(await github.rawfile("a", etag=etag), RawFile | None)


def sync_world(lookup: scapi.sync.DatabaseLookup, github: scapi.sync.GitHubClient, etag: str | None) -> None:
    assert_type(lookup.id("AK-105"), str)
    assert_type(lookup.find_one("AK-105"), Lookup | None)
    assert_type(lookup.sync(realm=scapi.Realm.GLOBAL), DatabaseState)
    assert_type(github.rawfile("a"), RawFile)
    assert_type(github.rawfile("a", etag=etag), RawFile | None)


def mistakes(lookup: scapi.sync.DatabaseLookup, found: Lookup) -> None:
    """What both checkers refuse: each ignore is an error as soon as it is idle."""
    lookup.search("kil", filename="listings")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    lookup.hideout(realm="all")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    lookup.sync(True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    found.name("klingon")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
