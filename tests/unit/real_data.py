"""Where the real data lies, which is no part of the project."""

from __future__ import annotations

import os
from pathlib import Path

REASON = "the real item database is neither in $SCAPI_DATA nor in a shared/data beside the project"


def real_database() -> Path | None:
    """The folder of the item database, or `None` where it is absent."""
    named = os.environ.get("SCAPI_DATA")
    beside = (parent / "shared" / "data" for parent in Path(__file__).resolve().parents)
    folders = (folder / "stalzone-database" for folder in ([Path(named)] if named else beside))
    return next((folder for folder in folders if (folder / "ru" / "listing.json").is_file()), None)
