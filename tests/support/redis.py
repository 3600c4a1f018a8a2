"""A Redis server in a temporary folder, for tests and benchmarks, that can be paused, killed and started anew."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds that a server may take to start or to end on a busy machine.
PATIENCE = 30.0

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")


class RedisServer:
    """A server on a Unix socket, which nobody else on this machine can reach or be in the way of."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = folder / "s"
        self.url = f"unix://{self.socket}"

    def client(self) -> Any:
        import redis

        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        assert PROGRAM
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own command
                [PROGRAM, *options, "--dir", str(self._folder)], stdout=log, stderr=log
            )
        import redis

        end = time.monotonic() + PATIENCE
        with self.client() as client:
            while True:
                with suppress(redis.RedisError):
                    client.ping()
                    return
                assert time.monotonic() < end, (self._folder / "log").read_text()
                time.sleep(0.01)

    def kill(self) -> None:
        """End it as a crash does: at once, and with all that it held."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None
        self.socket.unlink(missing_ok=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Keep it from answering, with all connections open."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """Run a server of its own, or skip the test that needs it."""
    if PROGRAM is None:
        import pytest

        pytest.skip("neither redis-server nor valkey-server is installed")
    # Paths of Unix sockets are short, and those of pytest's folders aren't.
    with tempfile.TemporaryDirectory(prefix="scapi-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()
