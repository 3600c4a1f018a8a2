"""Answers in the shape that people recorded: a made-up set, and beside it the published one where it is to be had."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["MADE_UP", "SETS", "Answers", "published_case"]

#: What each made-up answer is called among the published ones, which are no part of the project.
PUBLISHED = {
    "demo.json": "demo_characters_clan_members_pyscx.json",
    "emission_without_start.json": "emission_ru_2023-01-30.json",
    "errors.json": "errors_real.json",
    "history.json": "history_artefact_kqgy_eu_2026-08-05.json",
    "lot_alone.json": "lots_kqgy_issue110_2026-08_single.json",
    "lots.json": "lots_009n9_wikimirror_2025-10_first_of_75.json",
    "lots_demo.json": "lots_demo_1kv2.json",
    "lots_none.json": "lots_empty_issue90.json",
    "profile_empty_headers.txt": "profile_empty_body_issue100_headers.txt",
}


@dataclass(frozen=True)
class Answers:
    """A folder of answers, by the names that the made-up ones have."""

    folder: Path
    files: dict[str, str]

    def raw(self, name: str) -> bytes:
        return (self.folder / self.files[name]).read_bytes()

    def read(self, name: str) -> Any:
        return json.loads(self.raw(name))

    def __str__(self) -> str:
        return self.folder.name


def _roots() -> list[Path]:
    roots = [Path(os.environ["SCAPI_DATA"])] if "SCAPI_DATA" in os.environ else []
    return roots + [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]


def _published() -> list[Answers]:
    return [Answers(root / "recorded", PUBLISHED) for root in _roots() if (root / "recorded").is_dir()][:1]


def published_case(name: str) -> Any:
    """A small input that people published, decoded; `None` where it isn't to be had."""
    found = [root / "cases" / name for root in _roots() if (root / "cases" / name).is_file()]
    return json.loads(found[0].read_bytes()) if found else None


MADE_UP = Answers(Path(__file__).parent / "data" / "answers", {name: name for name in PUBLISHED})
SETS = [MADE_UP, *_published()]
