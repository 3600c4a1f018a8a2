"""What only a real process shows: pipes, terminals, signals."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from scapi.cli.app import run
from scapi.testing import FakeApi
from tests.cli.process import BUSY, environment, finish, on_a_terminal, start

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.socket


def test_data_goes_to_stdout_without_colours_and_words_go_to_stderr(key: dict[str, str]) -> None:
    code, out, err = finish("clans", "--limit", "2", **key)
    assert code == 0
    assert len(out.splitlines()) == 4
    assert "\x1b" not in out + err
    assert err == "2 of 240 clans, the next with --offset 2, all with --all\n"


def test_a_pipe_that_is_closed_is_no_error(key: dict[str, str]) -> None:
    for form in ("--json", "--csv", "--table"):
        process = start("history", "zyv9", "--limit", "200", form, **key)
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(60) == 141
        process.stderr.close()


def test_a_terminal_gets_colours(key: dict[str, str]) -> None:
    code, shown = on_a_terminal("emission", **key)
    assert code == 0
    assert "\x1b[1;32mNo emission" in shown


def test_a_terminal_gets_none_with_no_color(key: dict[str, str]) -> None:
    code, shown = on_a_terminal("emission", NO_COLOR="1", **key)
    assert code == 0
    assert "\x1b[1mNo emission" in shown


COMMANDS = [
    "regions",
    "emission",
    "lots kqgy",
    "history kqgy",
    "profile ZIV",
    "clans",
    "clan a552092f-e7c9-4cc3-a256-1e3f525770bf",
    "operations",
    "items carpet",
    "item zyv9",
    "whoami",
    "doctor",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_answers_a_program_in_json_and_a_person_in_a_table(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    # The first one in this process, because starting another takes most of the time; other tests have the pipes.
    assert run([*command.split(), "--fake", "--json"]) == 0
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    assert json.loads(out)
    code, shown = on_a_terminal(*command.split(), "--fake")
    assert code == 0
    assert "\x1b[" in shown
    assert not shown.lstrip().startswith(("{", "["))


def test_the_demo_draws_its_bar_on_a_terminal() -> None:
    code, shown = on_a_terminal("demo")
    assert code == 0
    assert "42/42" in shown


def test_ctrl_c_ends_a_command_at_once_and_leaves_no_file(tmp_path: Path) -> None:
    fake = FakeApi()
    fake.fail("*/history", "delay", delay=float("inf"))
    (tmp_path / "old.csv").write_text("old")
    with fake.serve() as url:
        env = {"SCAPI_BASE_URL": url, "SCAPI_TOKEN": fake.app_token}
        process = start("history", "zyv9", "--out", str(tmp_path / "old.csv"), **env)
        while not fake.requests:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old.csv", "old")]


def test_ctrl_c_in_the_middle_of_all_pages_leaves_no_file(tmp_path: Path) -> None:
    fake = FakeApi()
    with fake.serve() as url:
        env = {"SCAPI_BASE_URL": url, "SCAPI_TOKEN": fake.app_token}
        process = start("history", "dm6l2", "--all", "--out", str(tmp_path / "all.jsonl"), **env)
        while len(fake.requests) < 20:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "")
    assert not list(tmp_path.iterdir())


def test_all_pages_have_a_bar_on_a_terminal(key: dict[str, str]) -> None:
    code, shown = on_a_terminal("operations", "--all", **key)
    assert code == 0
    assert "sessions ━" in re.sub("\x1b\\[[0-9;]*m", "", shown)


def test_no_network_is_one_sentence() -> None:
    code, out, err = finish("emission", SCAPI_BASE_URL="http://127.0.0.1:9", SCAPI_TOKEN="x")
    assert (code, out) == (7, "")
    *waits, complaint = err.splitlines()
    assert complaint.startswith("scapi: no response from 127.0.0.1:9")
    assert all(line.startswith("/ru/emission waits ") for line in waits)


def test_a_full_disk_is_one_sentence(key: dict[str, str]) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  # a device
        command = [sys.executable, "-m", "scapi", "clans", "--csv"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment(**key), check=False)  # noqa: S603  # ours
    assert done.returncode == 10
    assert done.stderr.decode() == "scapi: [Errno 28] No space left on device\n"


def test_the_shell_completes_commands_and_options() -> None:
    asked = {"_SCAPI_COMPLETE": "bash_complete", "COMP_WORDS": "scapi lots --qua", "COMP_CWORD": "2"}
    code, out, _ = finish(**asked)
    assert (code, out) == (0, "plain,--quality\n")


def test_what_a_terminal_can_not_show_is_no_error(key: dict[str, str]) -> None:
    code, out, err = finish("lots", "kqgy", "--fake", "--limit=1", PYTHONIOENCODING="ascii", **key)
    assert code == 0, err
    assert re.search(r"\d\?\d\d\d", out)  # a no-break space between thousands


def until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until something is so, as long as a process runs."""
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("form", ["--json", "--table"])
def test_new_and_gone_lots_are_told_of_as_lines_until_ctrl_c(form: str) -> None:
    # Its clock stands still, so that no other lot appears or ends.
    began = time.time()
    fake = FakeApi(limit=1_000_000, clock=lambda: began)
    with fake.serve() as url:
        options = ("--watch", "--interval=0.5", "--quality=rare", "--buyout", form)
        process = start("lots", "zyv9", *options, SCAPI_BASE_URL=url, SCAPI_TOKEN=fake.app_token)
        assert process.stdout is not None
        assert process.stderr is not None
        until(lambda: fake.requests, process)
        rare = {"qlt": 3, "ptn": 7}
        fake.list_lot("zyv9", buyout_price=0, additional=rare)
        fake.list_lot("zyv9", buyout_price=5, additional={"qlt": 1})
        lot = fake.list_lot("zyv9", amount=2, buyout_price=1_000, additional=rare)
        new = process.stdout.readline()
        fake.remove_lot(lot)
        gone = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert rest == ""
    assert said.strip() == "Checking for new and gone lots every 0.5 s, until Ctrl-C."
    if form == "--json":
        events = [json.loads(line) for line in (new, gone)]
        assert [event["kind"] for event in events] == ["new", "gone"]
        assert [event["lot"]["unit_price"] for event in events] == [500.0, 500.0]
    else:
        assert re.match(r"\d\d:\d\d:\d\d  new  +1\xa0000  rare \+7, 2 pieces, 500 each, (1 d|23 h) ", new)
        assert re.match(r"\d\d:\d\d:\d\d  gone +1\xa0000  rare \+7", gone)


def test_watching_ends_after_as_many_lots_as_the_limit_says() -> None:
    fake = FakeApi(limit=1_000_000)
    with fake.serve(run_clock=False) as url:
        env = {"SCAPI_BASE_URL": url, "SCAPI_TOKEN": fake.app_token}
        process = start("lots", "zyv9", "--watch", "--interval=0.5", "--limit=2", "--json", **env)
        until(lambda: fake.requests, process)
        for _ in range(3):
            fake.list_lot("zyv9")
        out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert len(out.splitlines()) == 2


def test_lots_come_in_the_fake_of_a_command_that_watches() -> None:
    process = start("lots", "kqgy", "--watch", "--interval=0.5", "--limit=2", "--fake", program=BUSY)
    out, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert len(out.splitlines()) == 2
    assert said == "Checking for new and gone lots every 0.5 s, until 2 events or Ctrl-C.\n"


def test_watching_goes_on_after_a_failure_and_ends_when_the_item_is_refused() -> None:
    fake = FakeApi(limit=1_000_000)
    fake.fail("*/lots", "empty", times=1)
    with fake.serve(run_clock=False) as url:
        env = {"SCAPI_BASE_URL": url, "SCAPI_TOKEN": fake.app_token}
        process = start("lots", "zyv9", "--watch", "--interval=0.5", **env)
        until(lambda: len(fake.requests) > 1, process)
        fake.fail("*/lots", status=400, body='{"title": "Invalid item id", "status": 400}')
        out, said = process.communicate(timeout=120)
    assert (process.returncode, out) == (4, "")
    _, *lines = said.splitlines()
    assert "the body is empty" in lines[0]
    assert "scapi: 400 Invalid item id" in lines[-1]


@pytest.mark.parametrize("form", ["--json", "--table"])
def test_emissions_are_told_of_as_they_come_until_ctrl_c(form: str, key: dict[str, str]) -> None:
    process = start("emission", "--watch", form, **key)
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    assert first.startswith('{"current_start":' if form == "--json" else ("No emission.", "An emission"))
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert process.stderr.read().strip() == ""
    process.stdout.close()
    process.stderr.close()
