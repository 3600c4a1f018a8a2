"""FileCache on disk: whole or not at all, believed only while they are unbroken."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scapi._items import disk_cache
from scapi._items.disk_cache import Copy, DiskCache, is_fresh

NAME = "ru/listing.json"


def copy(content: bytes = b'[{"data": "/items/a.json"}]', **changes: Any) -> Copy:
    known: dict[str, Any] = {"source": "https://example.com/a", "etag": 'W/"1"', "fetched_at": 1000.0}
    return Copy(content=content, **(known | changes))


def stored_file(kept: DiskCache) -> Path:
    (file,) = (path for path in kept.folder.rglob("*") if path.is_file())
    return file


@pytest.fixture
def kept(tmp_path: Path) -> DiskCache:
    return DiskCache(tmp_path, "EXBO-Studio/stalzone-database")


# ── what is kept ──────────────────────────────────────────────────────────────────────────────────────────────────────


@given(content=st.binary(), etag=st.none() | st.text(), source=st.text(), fetched_at=st.floats(0, 1e12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_copy_comes_back_as_it_was(tmp_path: Path, **fields: Any) -> None:
    kept = DiskCache(tmp_path, "owner/repository")
    kept.put(NAME, Copy(**fields))
    assert DiskCache(tmp_path, "owner/repository").get(NAME) == Copy(**fields)


def test_what_was_never_kept_is_absent(kept: DiskCache) -> None:
    assert kept.get(NAME) is None


def test_repositories_and_realms_are_kept_apart(tmp_path: Path, kept: DiskCache) -> None:
    kept.put(NAME, copy())
    assert kept.get("global/listing.json") is None
    assert DiskCache(tmp_path, "someone/else").get(NAME) is None


def test_a_copy_shows_what_it_is_but_not_all_of_it() -> None:
    assert repr(copy(b"x" * 10_000)) == (
        "Copy('https://example.com/a', 10000 bytes, etag='W/\"1\"', fetched_at=1000.0)"
    )


@pytest.mark.parametrize("name", ["", "/", "../a", "a/../../b", "a/..", "a\\..\\b", "C:/a", "a/\0", "a/. ./b"])
def test_a_name_that_leads_elsewhere_is_refused(kept: DiskCache, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        kept.get(name)
    with pytest.raises(ValueError, match="name"):
        kept.put(name, copy())


def test_the_default_folder_is_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    assert disk_cache.default_folder().name == "scapi" or sys.platform == "win32"
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    with pytest.raises(ImportError, match=r'pip install "\.\[names\]"'):
        disk_cache.default_folder()


def test_the_environment_may_name_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCAPI_CACHE_DIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert disk_cache.default_folder() == tmp_path


# ── what is broken ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_cut_off_anywhere_is_absent(kept: DiskCache) -> None:
    kept.put(NAME, copy())
    file = stored_file(kept)
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert kept.get(NAME) is None


def test_a_file_edited_anywhere_is_absent(kept: DiskCache) -> None:
    kept.put(NAME, copy())
    file = stored_file(kept)
    whole = file.read_bytes()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert kept.get(NAME) is None


@pytest.mark.parametrize(
    "header", [b"", b"{}", b"[1]", b'{"length":9,"source":"","etag":null,"fetched_at":0}', b"\xff"]
)
def test_a_file_that_is_signed_but_makes_no_sense_is_absent(kept: DiskCache, header: bytes) -> None:
    kept.put(NAME, copy())
    rest = header + b"\ncontent"
    stored_file(kept).write_bytes(disk_cache.MAGIC + disk_cache._digest(rest) + b"\n" + rest)
    assert kept.get(NAME) is None


def test_a_broken_file_is_replaced(kept: DiskCache) -> None:
    kept.put(NAME, copy())
    stored_file(kept).write_bytes(b"junk")
    kept.put(NAME, copy(b"new"))
    assert kept.get(NAME) == copy(b"new")


def test_a_folder_in_place_of_the_file_is_absent(kept: DiskCache) -> None:
    (kept.folder / f"{NAME}.copy").mkdir(parents=True)
    assert kept.get(NAME) is None


# ── killed while writing ──────────────────────────────────────────────────────────────────────────────────────────────


def _write_and_die(folder: Path) -> None:
    setattr(os, "fsync", lambda _: os._exit(9))  # noqa: B010  # mypy minds the plain assignment
    DiskCache(folder, "owner/repository").put(NAME, copy(b"never finished"))


def test_killed_while_writing_the_last_good_copy_stays(tmp_path: Path) -> None:
    kept = DiskCache(tmp_path, "owner/repository")
    kept.put(NAME, copy(b"good"))
    process = multiprocessing.get_context("spawn").Process(target=_write_and_die, args=(tmp_path,))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert kept.get(NAME) == copy(b"good")
    (left_over,) = kept.folder.rglob("*.part")

    # A fresh one may still be in use; an old one is nobody's and goes with the next write.
    kept.put(NAME, copy(b"newer", fetched_at=time.time()))
    assert left_over.exists()
    os.utime(left_over, (0, 0))
    kept.put(NAME, copy(b"newest", fetched_at=time.time()))
    assert not left_over.exists()
    assert kept.get(NAME) is not None


def test_an_interrupted_write_leaves_nothing_behind(kept: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.put(NAME, copy(b"good"))

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        kept.put(NAME, copy(b"new"))
    assert stored_file(kept).suffix == ".copy"
    assert kept.get(NAME) == copy(b"good")


# ── two at once ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_often(folder: Path, letter: bytes) -> None:
    kept = DiskCache(folder, "owner/repository")
    for round_ in range(60):
        kept.put(NAME, copy(letter * (50_000 + round_), fetched_at=time.time()))


def test_two_processes_at_once_never_show_half_a_file(tmp_path: Path) -> None:
    kept = DiskCache(tmp_path, "owner/repository")
    kept.put(NAME, copy(b"c"))
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_often, args=(tmp_path, letter)) for letter in (b"a", b"b")]
    for writer in writers:
        writer.start()
    seen: set[bytes] = set()
    while any(writer.is_alive() for writer in writers):
        now = kept.get(NAME)
        assert now is not None
        assert len(set(now.content)) == 1
        seen.add(now.content[:1])
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert seen & {b"a", b"b"}
    assert [path.suffix for path in kept.folder.rglob("*.*") if path.is_file()] == [".copy"]


# ── a disk that refuses ───────────────────────────────────────────────────────────────────────────────────────────────


def refuse(code: int) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize(
    ("step", "code"),
    [
        pytest.param((os, "open"), errno.EROFS, id="read-only folder"),
        pytest.param((os, "fsync"), errno.ENOSPC, id="full disk"),
        pytest.param((Path, "mkdir"), errno.EACCES, id="no folder"),
        pytest.param((Path, "replace"), errno.EACCES, id="file in use"),
    ],
)
def test_a_disk_that_refuses_is_replaced_by_memory_with_one_warning(
    kept: DiskCache,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: tuple[Any, str],
    code: int,
) -> None:
    kept.put(NAME, copy(b"old"))
    with caplog.at_level(logging.WARNING, "scapi"), monkeypatch.context() as patch:
        patch.setattr(*step, refuse(code))
        kept.put(NAME, copy(b"new"))
        kept.put("ru/stats.json", copy(b"other"))
    assert kept.get(NAME) == copy(b"new")
    assert kept.get("ru/stats.json") == copy(b"other")
    (warning,) = caplog.records
    assert os.strerror(code) in warning.getMessage()
    assert not list(kept.folder.rglob("*.part"))

    # Once the disk takes it again, the disk is what counts.
    kept.put(NAME, copy(b"newest"))
    assert stored_file(kept).name == "listing.json.copy"
    assert kept.get(NAME) == copy(b"newest")


def test_a_real_folder_that_cannot_be_made_is_replaced_by_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = DiskCache(tmp_path / "file", "owner/repository")
    assert kept.get(NAME) is None
    kept.put(NAME, copy())
    assert kept.get(NAME) == copy()


# ── the clock ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("now", "stale_time", "fresh"),
    [(1000, 900, True), (1899.9, 900, True), (1900, 900, False), (999, 900, False), (1000, 0, False)],
    ids=["just now", "in time", "too old", "clock gone back", "never fresh"],
)
def test_a_copy_is_fresh_for_the_stale_time(now: float, stale_time: float, fresh: bool) -> None:
    assert is_fresh(copy(), now=now, stale_time=stale_time) is fresh
