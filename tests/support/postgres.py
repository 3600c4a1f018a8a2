"""A real PostgreSQL for tests. Tests are skipped, with the reason, where no server is installed."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Where distributions put the programs of the server, which are rarely on the path.
FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")

#: Nothing here outlives a test, so nothing waits for the disk.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB", "listen_addresses=")

#: What the server refuses to run as is root; these users are on every system.
USERS = ("postgres", "nobody")

_numbers = itertools.count()


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`; `None` where they aren't installed."""
    found = sorted(folder for pattern in FOLDERS for folder in Path("/").glob(pattern[1:]))
    on_path = shutil.which("initdb")
    folders = [*reversed(found), *([Path(on_path).parent] if on_path else [])]
    return next((one for one in folders if (one / "initdb").exists() and (one / "postgres").exists()), None)


def unprivileged(folder: Path) -> list[str]:
    """What to put before a command so that it doesn't run as root, who owns the folder no longer then."""
    if os.name != "posix" or os.geteuid() != 0:
        return []
    import pwd

    for name in USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    pytest.skip("PostgreSQL doesn't run as root, and there is no other user")


@contextmanager
def server() -> Iterator[Callable[[], str]]:
    """A server that is there within the block.

    Yields:
        Makes an empty schema, and returns its URL.
    """
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL isn't installed: apt-get install postgresql")
    # The path of a socket must be short, so pytest's own folders won't do.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    before = unprivileged(folder)
    data = str(folder / "data")
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    make = [found / "initdb", "--pgdata", data, "--username=scapi", "--auth=trust", "--no-sync", "--encoding=UTF8"]
    try:
        subprocess.run([*before, *make, "--no-locale"], check=True, **quiet)  # noqa: S603
        options = [part for option in FAST for part in ("-c", option)]
        process = subprocess.Popen(  # noqa: S603
            [*before, found / "postgres", "-D", data, "-k", str(folder), *options], **quiet
        )
        try:
            yield lambda: _schema(folder, process)
        finally:
            # SIGQUIT: end at once, and leave everything as it lies.
            subprocess.run([*before, "kill", "-QUIT", str(process.pid)], check=False, **quiet)  # noqa: S603
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _schema(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """Make a schema, which costs a hundredth of what a database does, and return the URL that leads to it."""
    import psycopg

    name = f"test{next(_numbers)}"
    while True:
        try:
            with psycopg.connect(host=str(folder), user="scapi", dbname="postgres", autocommit=True) as connection:
                connection.execute(f"CREATE SCHEMA {name}")
        except psycopg.OperationalError:
            # It takes some tenths of a second until it listens.
            if process.poll() is not None:
                raise
            time.sleep(0.02)
            continue
        return f"postgresql+psycopg://scapi@/postgres?host={folder}&options=-csearch_path%3D{name}"
