"""What the tables look like, in tests/cli/snapshots. `python -m tests.cli.snapshots` writes them anew."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from scapi.cli import connection
from scapi.cli.app import run
from scapi.testing import FakeApi
from scapi.testing._catalogue import HOME_CLAN

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime

FOLDER = Path(__file__).parent / "snapshots"

COMMANDS = {
    "help": ["--help"],
    "regions": ["regions"],
    "emission": ["emission"],
    "lots": ["lots", "kqgy", "--limit", "8"],
    "lots-of-quality": ["lots", "kqgy", "--limit", "50", "--quality", "rare", "--quality", "special"],
    "lots-none": ["lots", "qyvk"],
    "history": ["history", "dm6l2", "--limit", "5"],
    "profile": ["profile", "ZIV"],
    "profile-without-clan": ["profile", "Шустрый"],
    "clans": ["clans", "--limit", "5"],
    "clan": ["clan", HOME_CLAN],
    "operations": ["operations", "--limit", "5"],
    "lots-by-name": ["lots", "AK-105", "--limit", "3"],
    "lots-of-several": ["lots", "Carpet"],
    "items": ["items", "carpet"],
    "item": ["item", "Слеза Зоны", "--language", "fr"],
}


@contextmanager
def camera() -> Generator[Callable[[list[str]], str]]:
    """A function that tells what a command shows, with what it says beside that at the end."""
    fake = FakeApi(limit=1_000_000)
    with fake.serve() as url, tempfile.TemporaryDirectory() as cache:
        place = connection.Endpoints(database=url, cache=cache)
        env = {"SCAPI_BASE_URL": url, "SCAPI_TOKEN": fake.app_token, "COLUMNS": "80"}
        with (
            mock.patch.dict(os.environ, env),
            mock.patch.object(connection, "LIVE", place),
        ):
            yield partial(shot, fake.now)


def shot(moment: datetime, arguments: list[str]) -> str:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        run(arguments, now=lambda: moment)
    said = f"\n[stderr]\n{err.getvalue()}" if err.getvalue() else ""
    lines = [f"$ scapi {' '.join(arguments)}", *(out.getvalue() + said).splitlines()]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with camera() as take:
        for name, arguments in COMMANDS.items():
            (FOLDER / f"{name}.txt").write_text(take(arguments), encoding="utf-8")


if __name__ == "__main__":
    main()
