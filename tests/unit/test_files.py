"""Files that are there in whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from scapi import files
from scapi._base import atomic

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such bits and no such pipes")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_text_is_written_and_written_over(tmp_path: Path) -> None:
    for text in ("{}", "Шустрый\r\n"):
        files.write_text(tmp_path / "a.json", text)
        assert (tmp_path / "a.json").read_bytes() == text.encode()
    assert names(tmp_path) == ["a.json"]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_text(tmp_path / "a.json", "old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        files.write_text(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").read_text() == "old"
    assert names(tmp_path) == ["a.json"]


def test_a_program_that_is_killed_leaves_what_was_there(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a.json", "old")
    program = "import os; from scapi import files; os.fsync = lambda _: os._exit(9); files.write_text('a.json', 'new')"
    assert subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False).returncode == 9  # noqa: S603  # ours
    assert (tmp_path / "a.json").read_text() == "old"


@posix
def test_a_new_file_has_the_usual_rights_and_another_keeps_its_own(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        for rights in (None, 0o600, 0o640, 0o666):
            if rights is not None:
                (tmp_path / "a").chmod(rights)
            files.write_text(tmp_path / "a", "x")
            assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == (0o644 if rights is None else rights)
    finally:
        os.umask(mask)


@posix
def test_a_private_file_is_private_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (seen.append(stat.S_IMODE(os.fstat(fd).st_mode)), fsync(fd))[1])
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o644)
    mask = os.umask(0)
    try:
        files.write_text(tmp_path / "a", "x", private=True)
    finally:
        os.umask(mask)
    assert seen == [0o600]
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    files.write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@posix
def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    before = names(tmp_path)
    for name in before:
        with pytest.raises(OSError, match=name):
            files.write_text(tmp_path / name, "x")
    assert names(tmp_path) == before
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        files.write_text(tmp_path / "no" / "a.json", "x")
    assert missing.value.filename == str(tmp_path / "no")


def test_home_is_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    files.write_text("~/a.json", "x")
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize(
    ("path", "text", "kind", "name"),
    [
        (7, "x", TypeError, "path"),
        (b"x", "x", TypeError, "path"),
        ("", "x", ValueError, "path"),
        ("a\0b", "x", ValueError, "path"),
        ("x", b"x", TypeError, "text"),
        ("x", "secret\udc80", ValueError, "text"),
    ],
)
def test_what_can_not_be_written_is_named(path: Any, text: Any, kind: type[Exception], name: str) -> None:
    with pytest.raises(kind, match=f"^{name} must be ") as refused:
        files.write_text(path, text)
    assert "secret" not in repr(refused.value)


def test_a_draft_takes_away_its_own_part_and_no_other(tmp_path: Path) -> None:
    first, second = atomic.Draft(tmp_path / "a"), atomic.Draft(tmp_path / "a")
    assert len(names(tmp_path)) == 2
    first.write(b"first")
    second.discard()
    first.publish()
    first.discard()
    assert (tmp_path / "a").read_bytes() == b"first"
    assert names(tmp_path) == ["a"]


def test_only_what_was_abandoned_long_ago_is_swept(tmp_path: Path) -> None:
    draft = atomic.Draft(tmp_path / "a")
    atomic.sweep(tmp_path, now=time.time())
    assert len(names(tmp_path)) == 1
    atomic.sweep(tmp_path, now=time.time() + 3700)
    assert names(tmp_path) == []
    draft.discard()


def test_looking_whether_a_file_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    atomic.check(tmp_path / "a")
    assert names(tmp_path) == []
