from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scapi._async import AppClient
from scapi._async.clock import Clock
from scapi._async.database import DatabaseLookup
from scapi._async.github import GitHubClient
from scapi._items import disk_cache
from scapi.config import Config
from scapi.enums import IndexFile, Realm
from scapi.exceptions import ClosedError, DecodeError, ItemNameError, NotFoundError, ServerError, TransportError
from scapi.testing import FakeApi
from tests._async.fake_clock import with_clock
from tests.unit.real_data import REASON, real_database

if TYPE_CHECKING:
    from pathlib import Path

LISTING = "ru/listing.json"


class CopiesClock(Clock):
    """The time of a fake, which the test moves; waits are real."""

    def __init__(self, fake: FakeApi, ahead: float = 0.0) -> None:
        self._fake = fake
        self._ahead = ahead

    def now(self) -> float:
        return self.wall()

    def wall(self) -> float:
        return self._fake.now.timestamp() + self._ahead


@pytest.fixture
def fake() -> FakeApi:
    return FakeApi()


def github(fake: FakeApi) -> GitHubClient:
    return GitHubClient(http_client=httpx.AsyncClient(transport=fake.transport()))


def lookup(fake: FakeApi, folder: Path, *, clock: Clock | None = None, **options: Any) -> DatabaseLookup:
    lookup_class = with_clock(DatabaseLookup, clock or CopiesClock(fake))
    return lookup_class(github(fake), cache_dir=folder, **options)


def statuses(fake: FakeApi, path: str = "") -> list[int]:
    return [seen.status for seen in fake.requests if path in seen.path]


def stored(folder: Path) -> list[Path]:
    return list(folder.rglob("listing.json.copy"))


# ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_from_a_name_to_the_lots_in_one_line(tmp_path: Path) -> None:
    fake = FakeApi()
    with fake.serve() as url:
        async with (
            GitHubClient(raw_url=url) as source,
            DatabaseLookup(source, cache_dir=tmp_path) as names,
            AppClient(token=fake.app_token, base_url=url) as client,
        ):
            lots = await client.auction(await names.id("АК-105")).lots()
            by_id = await client.auction("zz2rn").lots()
    assert lots
    assert lots == by_id


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("AK-105", "zz2rn"),
        ("ак 105", "zz2rn"),
        ("AK-105 «Thunder»", "2ody0"),
        ("зеленый студень", "gyjg"),
        ("Éclat de pendule", "gypg"),
        ("Eclat de pendule", "gypg"),
        ("진자 조각", "gypg"),
        ("jelly green", "gyjg"),
        (";uen", "9mmq"),
        ("qyvk", "qyvk"),
    ],
)
async def test_a_name_in_any_language_is_one_id(fake: FakeApi, tmp_path: Path, name: str, id_: str) -> None:
    assert await lookup(fake, tmp_path).id(name) == id_


@pytest.mark.parametrize(
    ("name", "candidates", "message"),
    [
        ("Carpet", ["400j", "wooz"], r"'Carpet' means several: Carpet \(400j\), Carpet \(wooz\)"),
        ("Gun Oli", ["dm6l2"], r"'Gun Oli' is unknown; similar: Gun Oil \(dm6l2\)"),
        ("x" * 40, [], "is unknown; similar: none"),
    ],
)
async def test_a_name_that_is_no_one_id_lists_the_candidates(
    fake: FakeApi, tmp_path: Path, name: str, candidates: list[str], message: str
) -> None:
    with pytest.raises(ItemNameError, match=message) as caught:
        await lookup(fake, tmp_path).id(name)
    assert [entry.id for entry in caught.value.candidates] == candidates


async def test_search_finds_the_exact_name_first_and_the_longer_one_after_it(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    found = await names.search("ak-105")
    assert [(entry.id, entry.score == 100) for entry in found[:2]] == [("zz2rn", True), ("2ody0", False)]
    assert [entry.id for entry in await names.search("ak-105", limit=1)] == ["zz2rn"]
    assert [entry.id for entry in await names.search("ak-105", threshold=100)] == ["zz2rn"]
    first = await names.find_one("carpte")
    assert first is not None
    assert (first.name("en"), first.ambiguous) == ("Carpet", True)
    assert await names.find_one("carpte", threshold=99) is None


async def test_a_box_that_nothing_was_typed_into_finds_nothing(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    assert await names.search("") == []
    assert await names.find_one(" ") is None


async def test_names_of_items_and_statistics_by_id(fake: FakeApi, tmp_path: Path) -> None:
    database = lookup(fake, tmp_path)
    items = await database.names("ru")
    assert items["zz2rn"] == next(entry.name("ru") for entry in await database.get_all() if entry.id == "zz2rn")
    assert len(items) == len(await database.get_all())
    statistics = await database.names(filename="stats", language="ru")
    assert statistics["kil"] == "Убийства"
    assert (await database.names("en", filename="stats"))["kil"] == "Kills"


async def test_a_threshold_of_another_scale_is_warned_of(fake: FakeApi, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"say 85$"):
        lookup(fake, tmp_path, threshold=0.85)


async def test_entries_by_id_and_all_of_them(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    entries = await names.get_all()
    assert len(entries) == 46
    assert await names.get_entity("zyv9") in entries
    assert await names.get_entity("x22sxr4") is None


async def test_achievements_and_stats_have_names_too(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    assert await names.id("Acrobate", filename=IndexFile.ACHIEVEMENTS) == "acrobat"
    assert await names.id("kills", filename="stats") == "kil"
    nameless = await names.get_entity("joined-guild", filename="stats")
    assert nameless is not None
    assert nameless.name() == "joined-guild"


async def test_the_realm_is_that_of_the_call_or_the_lookup_or_the_config(fake: FakeApi, tmp_path: Path) -> None:
    fake.github.push_commit({"ru/listing.json": []})
    names = lookup(fake, tmp_path)
    assert await names.get_all() == []
    assert await names.get_all(realm="GLOBAL")
    assert await lookup(fake, tmp_path, realm=Realm.GLOBAL).get_all()
    try:
        Config.REALM = Realm.GLOBAL
        assert await names.get_all()
    finally:
        del Config.REALM


async def test_entries_that_cannot_be_read_cost_one_warning(
    fake: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = (await lookup(fake, tmp_path).get_all())[0].data
    fake.github.push_commit({LISTING: [good, {"name": 5}, good]})
    with caplog.at_level(logging.WARNING, "scapi"):
        names = lookup(fake, tmp_path / "new")
        assert len(await names.get_all()) == 1
        await names.get_all()
    (warning,) = caplog.records
    assert "2 of 3 entries of listing rejected" in warning.getMessage()


# ── cards, icons, recipes ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_card_by_id_name_path_or_entry(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    entry = await names.get_entity("zyv9")
    assert entry is not None
    assert entry.path is not None
    cards = [await names.item_info(item) for item in ("zyv9", "tear of the zone", entry.path, entry)]
    assert cards == [cards[0]] * 4
    assert (cards[0].id, cards[0].category) == ("zyv9", "artefact/biochemical")


async def test_a_card_at_an_upgrade_level(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    plain, upgraded = await names.item_info("zyv9"), await names.item_info("zyv9", 15)
    assert plain.info_blocks != upgraded.info_blocks
    with pytest.raises(ValueError, match="upgrade_level must be an integer from 0 to 15, not 16"):
        await names.item_info("zyv9", 16)
    with pytest.raises(NotFoundError):
        await names.item_info("dm6l2", 1)
    with pytest.raises(ItemNameError):
        await names.item_info("x22sxr4")


async def test_an_icon_is_a_picture(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    icon = await names.item_icon("АК-105")
    assert icon.startswith(b"\x89PNG")
    assert await names.item_icon("/icons/weapon/assault_rifle/zz2rn.png") == icon
    fake.github.push_commit({"ru/icons/bullet/319k.png": b"<html>"})
    with pytest.raises(DecodeError, match="not an icon"):
        await names.item_icon("319k")


async def test_an_item_without_an_icon_says_so(fake: FakeApi, tmp_path: Path) -> None:
    rows = json.loads(fake.github.files[LISTING])
    for row in rows:
        if row["data"].endswith("/zz2rn.json"):
            del row["icon"]
        if row["data"].endswith("/319k.json"):
            # The real listing names seven icons that nobody has drawn.
            row["icon"] = "/icons/bullet/never-drawn.png"
    fake.github.push_commit({LISTING: rows})
    names = lookup(fake, tmp_path)
    for id_ in ("zz2rn", "319k"):
        for item in (id_, await names.get_entity(id_)):
            with pytest.raises(ValueError, match=f"^item must be one that has an icon, not '{id_}'$"):
                await names.item_icon(item)  # type: ignore[arg-type]  # it is there
    with pytest.raises(NotFoundError):
        await names.item_icon("/icons/bullet/never-drawn.png")


async def test_an_entry_that_is_no_item_has_no_card(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    (stat, *_) = await names.get_all(filename="stats")
    with pytest.raises(ValueError, match=f"^item must be one that has a card, not '{stat.id}'$"):
        await names.item_info(stat)
    with pytest.raises(ValueError, match=f"^item must be one that has an icon, not '{stat.id}'$"):
        await names.item_icon(stat)


async def test_recipes(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    barter, hideout = await names.barter(), await names.hideout(realm="global")
    assert [len(settlement.recipes) for settlement in barter] == [6, 6]
    assert len(hideout.recipes) == 6
    assert await names.get_entity(hideout.recipes[0].result[0].item)


# ── copies: fresh, stale, confirmed ───────────────────────────────────────────────────────────────────────────────────


async def test_a_fresh_copy_is_used_without_a_request_also_by_the_next_program(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    await names.get_all()
    fake.advance(899)
    await names.get_all()
    await lookup(fake, tmp_path).get_all()
    assert statuses(fake) == [200]


async def test_a_stale_copy_is_confirmed_without_a_second_body(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    before = await names.get_all()
    fake.advance(900)
    assert await names.get_all() == before
    assert statuses(fake) == [200, 304]
    # The confirmation is on disk as well: the next program need not ask.
    await lookup(fake, tmp_path).get_all()
    assert statuses(fake) == [200, 304]


async def test_a_newer_commit_is_noticed_within_the_stale_time(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path, stale_time=60)
    await names.id("AK-105")
    fake.github.edit_item("zz2rn", en="AK-105M")
    with pytest.raises(ItemNameError):
        await names.id("AK-105M")
    fake.advance(60)
    assert await names.id("AK-105M") == "zz2rn"
    assert statuses(fake) == [200, 200]


async def test_a_copy_from_the_future_is_asked_after(fake: FakeApi, tmp_path: Path) -> None:
    await lookup(fake, tmp_path).get_all()
    await lookup(fake, tmp_path, clock=CopiesClock(fake, ahead=-3600)).get_all()
    assert statuses(fake) == [200, 304]


async def test_another_process_that_renewed_the_copy_spares_the_request(fake: FakeApi, tmp_path: Path) -> None:
    mine, other = lookup(fake, tmp_path), lookup(fake, tmp_path)
    await mine.get_all()
    fake.github.edit_item("zz2rn", en="AK-105M")
    fake.advance(900)
    await other.get_all()
    assert await mine.id("AK-105M") == "zz2rn"
    assert statuses(fake) == [200, 200]


async def test_never_fresh_asks_each_time(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path, stale_time=0)
    for _ in range(3):
        await names.get_all()
    assert statuses(fake) == [200, 304, 304]


async def test_sync_fetches_everything_of_a_realm_or_of_all(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    files = {"listing", "achievements", "stats", "barter_recipes", "hideout_recipes"}
    state = await names.sync(realm="global")
    assert set(state.files) == {f"global/{file}.json" for file in files}
    state = await names.sync(realm="all")
    assert set(state.files) == {f"{realm}/{file}.json" for file in files for realm in ("ru", "global")}
    assert statuses(fake) == [200] * 10
    await names.sync(force=True, realm="ru")
    assert statuses(fake) == [200] * 10 + [304] * 5
    assert await lookup(fake, tmp_path, offline=True, realm="global").barter()


async def test_a_file_that_the_repository_lacks_is_named_and_costs_no_other(
    fake: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lost = "ru/hideout_recipes.json"
    fake.fail(f"*/{lost}", status=404)
    names = lookup(fake, tmp_path)
    with caplog.at_level(logging.WARNING, "scapi"):
        state = await names.sync()
    assert (state.missing, names.state.missing) == ((lost,), (lost,))
    assert len(state.files) == 4
    assert [record.getMessage() for record in caplog.records] == [f"EXBO-Studio/stalzone-database lacks {lost}"]
    assert await lookup(fake, tmp_path, offline=True).barter()
    fake.heal()
    assert (await names.sync()).missing == ()


async def test_a_repository_that_lacks_all_files_is_an_error(fake: FakeApi, tmp_path: Path) -> None:
    fake.fail("*.json", status=404)
    with pytest.raises(NotFoundError):
        await lookup(fake, tmp_path).sync(realm="all")


async def test_a_server_that_fails_is_no_missing_file(fake: FakeApi, tmp_path: Path) -> None:
    fake.fail("*/ru/stats.json", status=500)
    names = lookup(fake, tmp_path)
    with pytest.raises(ServerError):
        await names.sync()
    assert names.state.missing == ()


async def test_the_state_tells_what_is_there(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    assert (names.state.reachable, names.state.files) == (None, {})
    await names.get_all()
    state = names.state
    assert (state.repository, state.branch, state.reachable) == ("EXBO-Studio/stalzone-database", "main", True)
    assert state.folder.is_relative_to(tmp_path)
    file = state.files[LISTING]
    assert file.checked_at == fake.now
    assert file.size == len(fake.github.files[LISTING])
    assert file.etag is not None


async def test_many_items_do_not_fill_the_memory(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    for level in range(16):
        for item in ("zyv9", "ljpq", "gyjg", "5r04", "kqgy"):
            assert await names.item_info(item, level)
    assert len(names.state.files) == 64
    assert len(statuses(fake)) == 81


# ── copies: what goes wrong ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", ["reset", "status", "html", "empty", "broken_json", "cut"])
async def test_while_the_server_fails_the_last_good_copy_is_used_with_one_warning(
    fake: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    names = lookup(fake, tmp_path)
    await names.get_all()
    fake.github.edit_item("zz2rn", en="AK-105M")
    fake.advance(900)
    fake.fail("*", fault)  # type: ignore[arg-type]  # parametrized
    with caplog.at_level(logging.WARNING, "scapi"):
        for _ in range(5):
            assert await names.id("AK-105") == "zz2rn"
            fake.advance(20)
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [f"{LISTING} can't be updated"]
    assert "2026-08-19 12:00:00+00:00" in caplog.records[0].getMessage()
    # It is asked again once a minute, not by every call.
    assert len(statuses(fake)) == 3
    assert names.state.reachable is False

    fake.heal()
    fake.advance(60)
    assert await names.id("AK-105M") == "zz2rn"
    assert names.state.reachable is True


@pytest.mark.parametrize(
    ("fault", "error"), [("reset", TransportError), ("status", ServerError), ("empty", DecodeError)]
)
async def test_without_a_copy_a_failure_is_an_error(
    fake: FakeApi, tmp_path: Path, fault: str, error: type[Exception]
) -> None:
    fake.fail("*", fault)  # type: ignore[arg-type]  # parametrized
    names = lookup(fake, tmp_path)
    for _ in range(2):
        with pytest.raises(error):
            await names.get_all()
    assert stored(tmp_path) == []
    fake.heal()
    assert await names.get_all()


async def test_a_file_that_is_not_there_keeps_nobody_from_asking_for_others(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    with pytest.raises(NotFoundError):
        await names.item_info("dm6l2", 1)
    assert names.state.reachable is True
    fake.github.edit_item("zz2rn", en="AK-105M")
    fake.advance(900)
    assert await names.id("AK-105M") == "zz2rn"


async def test_an_unreadable_body_tells_where_it_came_from(fake: FakeApi, tmp_path: Path) -> None:
    fake.github.push_commit({LISTING: {"no": "list"}})
    with pytest.raises(DecodeError) as caught:
        await lookup(fake, tmp_path).get_all()
    assert caught.value.url.endswith("/EXBO-Studio/stalzone-database/main/ru/listing.json")


async def test_offline_uses_what_there_is_whatever_its_age(fake: FakeApi, tmp_path: Path) -> None:
    await lookup(fake, tmp_path).get_all()
    fake.advance(10**9)
    fake.fail("*", "reset")
    names = lookup(fake, tmp_path, offline=True)
    assert await names.id("AK-105") == "zz2rn"
    with pytest.raises(TransportError, match=r"offline, and there is no copy of ru/stats\.json in .*"):
        await names.get_all(filename="stats")
    assert statuses(fake) == [200]


@pytest.mark.parametrize("change", ["truncated", "edited", "emptied"])
async def test_a_broken_copy_is_fetched_again(fake: FakeApi, tmp_path: Path, change: str) -> None:
    before = await lookup(fake, tmp_path).get_all()
    (file,) = stored(tmp_path)
    whole = file.read_bytes()
    file.write_bytes({"truncated": whole[:-1], "edited": whole.replace(b"zz2rn", b"zz2rm"), "emptied": b""}[change])
    assert await lookup(fake, tmp_path).get_all() == before
    assert statuses(fake) == [200, 200]
    assert file.read_bytes() == whole


async def test_a_copy_that_only_another_version_could_read_is_fetched_again(fake: FakeApi, tmp_path: Path) -> None:
    await lookup(fake, tmp_path).get_all()
    (file,) = stored(tmp_path)
    copy = disk_cache.read(file)
    assert copy is not None
    disk_cache.write(
        file, disk_cache.Copy(content=b"{}", source=copy.source, etag=copy.etag, fetched_at=copy.fetched_at)
    )
    assert await lookup(fake, tmp_path).get_all()
    assert statuses(fake) == [200, 200]


async def test_the_same_content_under_a_new_etag_is_kept_with_that_etag(fake: FakeApi, tmp_path: Path) -> None:
    before = await lookup(fake, tmp_path).get_all()
    (file,) = stored(tmp_path)
    copy = disk_cache.read(file)
    assert copy is not None
    disk_cache.write(file, disk_cache.Copy(content=copy.content, source=copy.source, etag='"old"', fetched_at=0))
    assert await lookup(fake, tmp_path).get_all() == before
    assert disk_cache.read(file) == copy
    assert statuses(fake) == [200, 200]


async def test_copies_of_another_source_or_branch_are_not_taken_for_ours(fake: FakeApi, tmp_path: Path) -> None:
    await lookup(fake, tmp_path).get_all()
    client = httpx.AsyncClient(transport=fake.transport())
    mirror = GitHubClient(raw_url="https://mirror.example", http_client=client)
    await DatabaseLookup(mirror, cache_dir=tmp_path).get_all()
    assert statuses(fake) == [200, 200]
    with pytest.raises(NotFoundError):
        await DatabaseLookup(GitHubClient(branch="test", http_client=client), cache_dir=tmp_path).get_all()


async def test_a_folder_that_cannot_be_written_costs_one_warning(
    fake: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING, "scapi"):
        names = lookup(fake, tmp_path / "file")
        await names.sync()
        fake.advance(900)
        await names.sync()
    (warning,) = caplog.records
    assert "copies are kept in memory only" in warning.getMessage()
    assert statuses(fake) == [200] * 5 + [304] * 5


# ── the lookup itself ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"realm": "eu"}, "realm must be one of"),
        ({"threshold": 101}, "threshold must be a score from 0 to 100, not 101"),
        ({"stale_time": -1}, "stale_time must be a number of seconds"),
        ({"offline": "no"}, "offline must be True or False"),
    ],
)
async def test_a_wrong_option_is_refused(
    fake: FakeApi, tmp_path: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        lookup(fake, tmp_path, **options)


async def test_the_home_folder_may_be_written_as_a_tilde(
    fake: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    source = github(fake)
    names = DatabaseLookup(source, cache_dir="~/copies")
    await names.id("AK-105")
    assert names.state.folder.is_relative_to(tmp_path / "copies")
    assert stored(tmp_path / "copies")
    assert (await source.archive("~/all.zip", format="zip")) == tmp_path / "all.zip"
    for wrong in (7, b"copies"):
        with pytest.raises(TypeError, match="cache_dir must be a path"):
            DatabaseLookup(source, cache_dir=wrong)  # type: ignore[arg-type]  # callers without a type checker


async def test_a_wrong_argument_is_refused_before_anything_is_sent(fake: FakeApi, tmp_path: Path) -> None:
    names = lookup(fake, tmp_path)
    with pytest.raises(ValueError, match="filename must be one of listing, achievements, stats"):
        await names.search("x", filename="weapons")
    with pytest.raises(ValueError, match="realm must be one of"):
        await names.sync(realm="everything")
    assert statuses(fake) == []


@pytest.mark.parametrize("missing", ["rapidfuzz", "platformdirs"])
async def test_a_missing_package_is_named_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf'{missing} is missing for .*: pip install "\.\[names\]"'):
        DatabaseLookup()


async def test_without_a_client_of_its_own_it_makes_one_and_closes_it(tmp_path: Path) -> None:
    async with DatabaseLookup(cache_dir=tmp_path, offline=True) as names:
        assert "repository='EXBO-Studio/stalzone-database'" in repr(names)
        assert "offline=True" in repr(names)
    online = DatabaseLookup(cache_dir=tmp_path)
    await online.close()
    with pytest.raises(ClosedError, match="the client is closed"):
        await online.get_all()


async def test_a_client_of_the_callers_stays_open(fake: FakeApi, tmp_path: Path) -> None:
    source = github(fake)
    async with DatabaseLookup(source, cache_dir=tmp_path):
        pass
    assert await source.latest_commit()


@pytest.mark.skipif(real_database() is None, reason=REASON)
@pytest.mark.parametrize("realm", ["ru", "global"])
async def test_the_real_listing_is_found_offline(tmp_path: Path, realm: str) -> None:
    folder = real_database()
    assert folder is not None
    async with GitHubClient() as source:
        kept = disk_cache.DiskCache(tmp_path, "EXBO-Studio/stalzone-database/main")
        for kind in IndexFile:
            name = f"{realm}/{kind}.json"
            content = (folder / name).read_bytes()
            kept.put(name, disk_cache.Copy(content=content, source=source.file_url(name), fetched_at=time.time()))
        names = DatabaseLookup(source, cache_dir=tmp_path, realm=realm, offline=True)
        found = await names.find_one("АК-105")
        assert found is not None
        assert (found.score, found.ambiguous) == (100, False)
        assert await names.id("AK 105") == found.id
        for entry in (await names.get_all())[::40]:
            first = await names.find_one(entry.name("ru"))
            assert first is not None
            assert first.id == entry.id or first.ambiguous
        assert await names.find_one("acrobat", filename="achievements")
        assert await names.find_one("kil", filename="stats")
