"""Run a program against the fake: `python -m scapi.testing program.py`.

The fake is served on this machine while the program runs, and the environment names it in place of the real servers. So
the program needs no key and no change. All arguments are Python's own: `-m pytest` and `-c "..."` work, too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scapi.testing._activity import activity
from scapi.testing._fake import FakeApi

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from types import FrameType

#: What would lead away from the fake: the user's own credentials, and the Redis of their real key.
OWN = ("SCAPI_TOKEN", "SCAPI_REFRESH_TOKEN", "SCAPI_REDIS_URL")


def main(arguments: Sequence[str], fake: FakeApi) -> int:
    """Run Python with these arguments against a fake.

    Returns:
        The exit code of the program; that of a shell if a signal ended it.
    """
    # Ctrl-C reaches the program too, which decides whether it ends.
    signal.signal(signal.SIGINT, _go_on)
    command = [sys.executable, *arguments]
    with environment(fake) as variables, subprocess.Popen(command, env=variables) as process:  # noqa: S603  # the user's
        return attend(process, fake)


def attend(process: subprocess.Popen[bytes], fake: FakeApi) -> int:
    """Let things happen in a fake until a program ends, and return its exit code."""
    with activity(fake):
        code = process.wait()
    return code if code >= 0 else 128 - code


def _go_on(_number: int, _frame: FrameType | None) -> None:
    """Ignore a signal. `SIG_IGN` would be inherited by the program."""


@contextmanager
def environment(fake: FakeApi) -> Generator[dict[str, str]]:
    """Serve a fake during the `with` block, and yield the environment of programs that shall use it."""
    with fake.serve() as url, tempfile.TemporaryDirectory(prefix="scapi-") as cache:
        kept = {name: value for name, value in os.environ.items() if name not in OWN}
        yield {
            **kept,
            "SCAPI_BASE_URL": url,
            "SCAPI_OAUTH_URL": f"{url}/oauth",
            "SCAPI_GITHUB_URL": url,
            "SCAPI_CACHE_DIR": cache,
            "SCAPI_CLIENT_ID": fake.client_id,
            "SCAPI_CLIENT_SECRET": fake.client_secret,
            "SCAPI_USER_TOKEN": fake.user_token,
        }


if __name__ == "__main__":
    try:
        # With the clock of this machine, because programs ask for the last week.
        sys.exit(main(sys.argv[1:], FakeApi(clock=time.time)))
    except ImportError as error:
        sys.exit(str(error))
