"""Headless Chromium, driven over a pipe by the DevTools protocol, which needs no package."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds that the browser may take for one thing on a busy machine.
PATIENCE = 120.0

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # root has none
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers have little of it
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
)

DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"


class Browser:
    """One tab of a browser."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._unread = b""
        self._numbers = count(1)
        self._events: list[Any] = []
        self._session: dict[str, str] = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        self.call("Page.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def call(self, method: str, **params: Any) -> Any:
        """Return the result of one command of the protocol."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": params, **self._session}
        unsent = json.dumps(command).encode() + b"\0"
        while unsent:
            unsent = unsent[os.write(self._commands, unsent) :]
        while (answer := self._read(method)).get("id") != number:
            self._events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, url: str) -> None:
        """Load a page and wait until it is drawn."""
        self._events.clear()
        begun = self.call("Page.navigate", url=url)
        assert "errorText" not in begun, f"{url}: {begun}"
        while not any(_is_load(event, begun["loaderId"]) for event in self._events):
            self._events.append(self._read(url))
        self.run(DRAWN)

    def resize(self, width: int, height: int = 800) -> None:
        """Give the page another size, also one that a window can't have, and wait until it is drawn."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.run(DRAWN)

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression, or what its promise becomes."""
        result = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def _read(self, method: str) -> Any:
        end = time.monotonic() + PATIENCE
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"the browser said nothing to {method} for {PATIENCE:.0f} seconds"
            received = os.read(self._answers, 1 << 16)
            assert received, f"the browser ended during {method}"
            self._unread += received
        answer, _, self._unread = self._unread.partition(b"\0")
        return json.loads(answer)


def _is_load(event: Any, loader: str) -> bool:
    params = event.get("params", {})
    return params.get("loaderId") == loader and params.get("name") == "load"


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run a browser with an empty profile, or skip the test that needs it."""
    if PROGRAM is None:
        import pytest

        pytest.skip("neither chromium nor google-chrome is installed")
    with tempfile.TemporaryDirectory(prefix="scapi-", ignore_cleanup_errors=True) as home, ExitStack() as stack:
        its_input, commands = _pipe()
        answers, its_output = _pipe()
        stack.callback(os.close, commands)
        stack.callback(os.close, answers)
        options = [*OPTIONS, "--remote-debugging-pipe", f"--user-data-dir={home}/profile", "about:blank"]
        process = subprocess.Popen(  # noqa: S603  # our own command
            # It reads from 3 and writes to 4.
            ["/bin/bash", "-c", f'exec "$@" 3<&{its_input} 4>&{its_output}', "bash", PROGRAM, *options],
            pass_fds=(its_input, its_output),
            env={**os.environ, "HOME": home},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        stack.callback(process.wait, PATIENCE)
        stack.callback(os.killpg, process.pid, signal.SIGKILL)
        os.close(its_input)
        os.close(its_output)
        yield Browser(commands, answers)


def _pipe() -> tuple[int, int]:
    """Return both ends of a pipe, numbered 10 or higher, so that none is in the way of 3 and 4."""
    low = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low]
    for end in low:
        os.close(end)
    return high[0], high[1]
