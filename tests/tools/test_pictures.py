"""The pictures of the documentation are made by a command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tools import pictures

if TYPE_CHECKING:
    from pathlib import Path


def test_the_pictures_that_are_named_are_drawn_small(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pictures", "order-book", "damage", "--out", str(tmp_path)])
    pictures.main()
    names = [path.name for path in sorted(tmp_path.iterdir())]
    assert names == ["damage-dark.png", "damage-light.png", "order-book-dark.png", "order-book-light.png"]
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == names
    assert {path.read_bytes()[:4] for path in tmp_path.iterdir()} == {b"\x89PNG"}


def test_the_picture_of_workers_is_the_one_of_the_guide(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["pictures", "workers", "--out", str(tmp_path)])
    pictures.main()
    drawn = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert sorted(drawn) == ["workers-dark.svg", "workers-light.svg"]
    assert drawn == {name: (pictures.FOLDER / name).read_text(encoding="utf-8") for name in drawn}


def test_a_picture_that_nobody_knows_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pictures", "moon", "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        pictures.main()
    assert "no picture is called moon" in capsys.readouterr().err
