"""The folder of answers that people recorded; it is no part of the project and may be absent."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "history_page", "read", "rows_of"]


def _find() -> Path | None:
    roots = [Path(os.environ["SCAPI_DATA"])] if "SCAPI_DATA" in os.environ else []
    roots += [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]
    return next((root / "recorded" for root in roots if (root / "recorded").is_dir()), None)


FOLDER = _find()


def read(name: str) -> Any:
    """A recorded document."""
    assert FOLDER is not None
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def history_page() -> dict[str, Any]:
    """The page of 100 sales of an artefact."""
    page: dict[str, Any] = read("history_artefact_kqgy_eu_2026-08-05.json")
    return page


def rows_of(name: str) -> list[Any]:
    """A recorded list."""
    rows: list[Any] = read(name)
    return rows
