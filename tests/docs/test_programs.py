"""Each Python block of the README and of the pages runs alone, in a process of its own, as a reader would run it.

The reader has no key and no network. The pages say what to do then: `python -m scapi.testing program.py`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from scapi.models import UserToken
from scapi.testing import FakeApi, _activity
from tests.docs.pages import DOCS, Example, examples
from tests.support.programs import INTERRUPT, NO_PAUSES, OWN_PORT

if TYPE_CHECKING:
    from tests.support.programs import Reader

pytestmark = pytest.mark.socket

LOGIN, LOGIN_SYNC, RENEWAL, RENEWAL_SYNC, WEB, WEB_SYNC, _ = examples("tokens.md")
WATCHING = [example for example in examples() if "watch_" in example.source]
#: What Procrastinate and Celery import; the first one warns if it is a program itself.
TASKS = [example for example in examples() if "@app.task" in example.source]
#: These go into a program of the reader, as the line above them says, or wait for something to happen.
APART = [RENEWAL, RENEWAL_SYNC, WEB, WEB_SYNC, *WATCHING, *TASKS]

#: Two visitors of the reader's own web page: one comes with a foreign state, the other with their own.
VISIT = """
import asyncio
from urllib.parse import parse_qsl, urlsplit

import httpx

async def visit():
    session = {}
    location = httpx.get(start(session), trust_env=False).headers["location"]
    query = dict(parse_qsl(urlsplit(location).query))
    try:
        await back(dict(session), {**query, "state": "another"})
    except PermissionError:
        print("refused")
    print(type(await back(session, query)).__name__)
    await oauth.close()

asyncio.run(visit())
"""


@pytest.mark.parametrize("example", TASKS, ids=str)
def test_a_module_of_tasks_is_imported_as_an_engine_does(example: Example, reader: Reader) -> None:
    (reader.folder / "tasks.py").write_text(example.source, encoding="utf-8")
    assert reader.python("-c", "import tasks; print(tasks.collect.name)") == (0, "collect\n", "")


@pytest.mark.parametrize("example", [example for example in examples() if example not in APART], ids=str)
def test_a_block_runs_alone_and_prints_what_its_page_says(example: Example, reader: Reader) -> None:
    for module in re.findall(r"^(?:from|import) (prometheus_client|structlog)\b", example.source, re.MULTILINE):
        pytest.importorskip(module)
    done = reader.run(example.source, *([OWN_PORT] if ".login()" in example.source else []))
    assert done.code == 0, done.err
    # There may be a warning without a Redis, and one of Procrastinate about tasks that are in the program itself.
    assert done.err.count("\n") <= (1 if re.search("redis://|procrastinate", example.source) else 0), done.err
    if example.page == "limits.md":
        calls = 4 if "crawl" in example.source else 1
        assert [request.status for request in reader.fake.requests] == [200] * calls
    if example.announced:
        assert done.out.splitlines() == example.announced
    assert done.out or "print(" not in example.source
    for name in re.findall(r'"([\w-]+\.(?:png|svg|jsonl|parquet))"', example.source):
        assert (reader.folder / name).stat().st_size


@pytest.mark.parametrize("example", WATCHING, ids=str)
def test_a_watcher_reports_and_continues_with_what_it_saved(
    example: Example, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_activity, "PERIOD", 0.2)
    ends = "break" in example.source
    for _ in range(2 if "state=" in example.source else 1):
        done = reader.run(example.source, NO_PAUSES, *([] if ends else [INTERRUPT]))
        assert done.code == (0 if ends else 130), done.err
        assert re.fullmatch(r"(started|ended|ru|eu|\d+|\d{4}-\d\d-\d\d) .+\n", done.out)


@pytest.mark.parametrize(("login", "renewal"), [(LOGIN, RENEWAL), (LOGIN_SYNC, RENEWAL_SYNC)], ids=str)
def test_from_the_first_click_to_the_renewal(reader: Reader, login: Example, renewal: Example) -> None:
    (reader.folder / "login.py").write_text(login.source, encoding="utf-8")
    (reader.folder / "renewal.py").write_text(renewal.source, encoding="utf-8")
    done = reader.python("-c", "import login, renewal", customs=[OWN_PORT])
    assert (done.code, done.err) == (0, "")
    assert re.match(r"your_login is logged in until .+\nYourCharacterName\n", done.out)
    first = UserToken.from_json((reader.folder / "token.json").read_text(encoding="utf-8"))
    reader.fake.oauth.revoke(first.access_token)
    assert reader.python("renewal.py").code == 0
    assert UserToken.from_json((reader.folder / "token.json").read_text(encoding="utf-8")) != first
    assert reader.fake.oauth.renewals == 1


@pytest.mark.parametrize("example", [WEB, WEB_SYNC], ids=str)
def test_a_web_page_of_your_own(example: Example, reader: Reader) -> None:
    visit = VISIT if example.tab == "async" else re.sub(r"async |await |asyncio.run(?=\()", "", VISIT)
    assert reader.run(example.source + visit) == (0, "refused\nUserToken\n", "")


@pytest.mark.parametrize("page", ["frames.md", "how-do-i.md"])
def test_a_whole_history_becomes_a_frame_in_five_lines(page: str, reader: Reader) -> None:
    whole = re.compile(r"iter_price_history\(additional=True\)\.to_p")
    (example,) = (example for example in examples(page) if whole.search(example.source))
    assert len(example.source.splitlines()) <= 5
    reader.fake = FakeApi(clock=time.time, sales={"zyv9": 2345})
    assert "2345" in reader.run(example.source).out.replace("_", "")


def test_each_page_says_how_its_blocks_run_without_a_key() -> None:
    pages = {example.page for example in examples() if "FakeApi(" not in example.source} - {"index.md"}
    assert len(pages) > 15
    for page in pages:
        text = (DOCS / page).read_text(encoding="utf-8")
        first = text.index("```python")
        assert "(index.md#without-a-key)" in text[:first], page
        assert "`python -m scapi.testing " in " ".join(text[:first].split()), page


def test_the_runner_keeps_real_credentials_and_the_real_cache_out_of_it(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SCAPI_TOKEN", "SCAPI_REFRESH_TOKEN", "SCAPI_REDIS_URL", "SCAPI_CACHE_DIR", "SCAPI_BASE_URL"):
        monkeypatch.setenv(name, "real")
    done = reader.run("import os; print([os.environ[name] for name in os.environ if name.startswith('SCAPI_')])")
    assert done.code == 0
    assert "fake-client-id" in done.out
    assert "real" not in done.out


@pytest.mark.parametrize(
    ("program", "code"),
    [("import sys; sys.exit(3)", 3), ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 143)],
)
def test_the_runner_ends_as_the_program_does(program: str, code: int) -> None:
    assert subprocess.call([sys.executable, "-m", "scapi.testing", "-c", program]) == code  # noqa: S603  # our own


def test_the_runner_leaves_ctrl_c_to_the_program(capfd: pytest.CaptureFixture[str]) -> None:
    program = """
import os, signal, sys, scapi.sync

try:
    with scapi.sync.AppClient.from_env() as client:
        os.kill(os.getppid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        client.emission()
except KeyboardInterrupt:
    print(scapi.sync.AppClient.from_env().regions()[0].id)
"""
    command = [sys.executable, "-m", "scapi.testing", "-W", "ignore", "-c", program]
    assert subprocess.call(command) == 0  # noqa: S603  # our own
    assert capfd.readouterr() == ("RU\n", "")


def test_the_runner_says_which_extra_it_needs(capfd: pytest.CaptureFixture[str]) -> None:
    program = """
import runpy, sys

sys.modules["uvicorn"], sys.argv = None, ["", "-c", "print(1)"]
runpy.run_module("scapi.testing", run_name="__main__")
"""
    assert subprocess.call([sys.executable, "-c", program]) == 1  # noqa: S603  # our own
    missing = 'uvicorn is missing for FakeApi.serve(): pip install ".[fake]" in your clone of scapi\n'
    assert capfd.readouterr() == ("", missing)
