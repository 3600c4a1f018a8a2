"""`scapi collect`, on the fake."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from scapi.cli.app import run
from scapi.sync import Store
from scapi.testing._catalogue import HOME_CLAN
from tests.cli.process import BUSY, start
from tests.support.shared_budgets import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.redis import RedisServer

pytestmark = pytest.mark.socket


def test_a_round_by_name_and_id_in_two_regions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "market.db"
    options = ["--region", "eu", "--region", "ru", "--lots", "1m", "--since", "1d", "--once", "--fake"]
    assert run(["collect", str(file), "Stone Blossom", "zyv9", *options]) == 0
    with Store(file) as store:
        states = {(state.region, state.item): state for state in store.item_states()}
        assert set(states) == {(region, item) for region in ("eu", "ru") for item in ("kqgy", "zyv9")}
        assert all(state.sales_at and state.lots_at and not state.failures for state in states.values())
        assert all(store.spans(*place) for place in states)
        (done,) = store.runs()
        assert done.ended is not None
    assert re.search(
        r"^\d[\d\xa0]* new sales? and \d[\d\xa0]* new lots? \(\d+ points\)\.$", capsys.readouterr().err, re.MULTILINE
    )


def test_the_regions_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCAPI_REGION", "eu sea")
    assert run(["collect", str(tmp_path / "market.db"), "zyv9", "--once", "--fake"]) == 0
    with Store(tmp_path / "market.db") as store:
        assert {state.region for state in store.item_states()} == {"eu", "sea"}


def has_budget(url: str) -> bool:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute("SELECT to_regclass('scapi_budget') IS NOT NULL").fetchone() == (True,)


def test_the_postgresql_of_the_store_shares_the_points_unless_there_is_a_redis(
    postgres: str,
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ["collect", postgres, "zyv9", "--once", "--fake"]
    with monkeypatch.context() as patch:
        patch.setenv("SCAPI_REDIS_URL", redis_server.url)
        assert run(arguments) == 0
    assert not has_budget(postgres)
    assert run(arguments) == 0
    until(lambda: has_budget(postgres))


def test_a_category(tmp_path: Path) -> None:
    file = tmp_path / "market.db"
    assert run(["collect", str(file), "--category", "supply", "--once", "--fake"]) == 0
    with Store(file) as store:
        assert {state.item for state in store.item_states()} == {"2dq0", "9mmq"}


def test_emissions_and_a_clan_without_items(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "market.db"
    options = ["--emissions", "1m", "--clan", HOME_CLAN, "--once", "--fake"]
    assert run(["collect", str(file), *options]) == 0
    assert " emission" in (told := capsys.readouterr().err)
    assert "who joined or left a clan" in told
    with Store(file) as store:
        assert {state.item for state in store.item_states()} == {"region:emission", f"clan:{HOME_CLAN}"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--category"),
        (["zyv9", "--sales", "soon"], "sales"),
        (["--category", "nonsense"], "no category"),
        (["zyv9", "--since", "long ago"], "since"),
    ],
    ids=["nothing", "sales", "category", "since"],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert run(["collect", str(tmp_path / "market.db"), *arguments, "--fake"]) != 0
    assert told in capsys.readouterr().err


def test_a_round_that_some_items_failed_in_says_which_and_has_its_own_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "market.db"
    # The second round doesn't ask for the refused id again, which is missing all the same.
    for _ in range(2):
        assert run(["collect", str(file), "zyv9", "unknown9", "--once", "--fake"]) == 11
        assert "ru unknown9: BadRequestError" in capsys.readouterr().err
    with Store(file) as store:
        assert store.spans("ru", "zyv9")
    assert run(["collect", str(file), "zyv9", "--once", "--fake"]) == 0


def no_folder(folder: Path) -> str:
    return str(folder / "none" / "market.db")


def no_database(folder: Path) -> str:
    file = folder / "market.db"
    file.write_text("these are not the pages of a database\n" * 100)
    return str(file)


def newer(folder: Path) -> str:
    file = folder / "market.db"
    with Store(file) as store:
        store.runs()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE scapi_version SET version = version + 1")
        connection.commit()
    return str(file)


def no_server(_: Path) -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return f"postgresql+psycopg://user:pa55word@127.0.0.1:{port}/market"


@pytest.mark.parametrize(
    ("store", "told"),
    [
        (no_folder, "none/market.db: unable to open database file"),
        (no_database, "market.db: file is not a database"),
        (newer, "update scapi"),
        (no_server, "127.0.0.1"),
    ],
    ids=["folder", "database", "schema", "server"],
)
def test_a_store_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], store: Callable[[Path], str], told: str
) -> None:
    assert run(["collect", store(tmp_path), "zyv9", "--once", "--fake"]) == 10
    (sentence,) = capsys.readouterr().err.splitlines()
    assert told in sentence
    assert "pa55word" not in sentence


@pytest.mark.skipif(os.name != "posix", reason="there are no such signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it_and_give_the_leases_back(tmp_path: Path, number: signal.Signals, code: int) -> None:
    file = tmp_path / "market.db"
    command = [sys.executable, "-m", "scapi", "collect", str(file), "zyv9", "kqgy", "--since", "all", "--fake"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)  # noqa: S603  # our own command
    try:
        with Store(file) as store:
            until = time.monotonic() + 60
            while time.monotonic() < until and not any(state.owner for state in store.item_states()):
                time.sleep(0.05)
            process.send_signal(number)
            _, told = process.communicate(timeout=60)
            assert process.returncode == code, told
            assert {state.owner for state in store.item_states()} == {None}
            assert b"Traceback" not in told
            assert re.search(rb"^\d.* new sales? and 0 new lots \(\d.* points?.*\)\.$", told, re.MULTILINE)
    finally:
        process.kill()


@pytest.mark.skipif(os.name != "posix", reason="there are no such signals")
def test_new_sales_come_in_the_fake_and_are_counted_when_ctrl_c_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "market.db"
    options = ["--sales", "1s", "--since", "1h", "--fake"]
    process = start("collect", str(file), "kqgy", *options, program=BUSY)
    try:
        with Store(file) as store:
            until(lambda: store.sales("kqgy"))
            first = store.sales("kqgy", limit=1)[0].time
            until(lambda: store.sales("kqgy", limit=1)[0].time > first)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130
    assert re.search(r"^[1-9]\S* new sales? and 0 new lots ", told, re.MULTILINE), told
