"""A Python that has imported what most programs import, and forks a process of its own for each program.

So a program takes a fifth of its time. A job is a line of JSON on standard input; the exit code comes back as a line.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import io
import json
import os
import runpy
import sys
import threading
from typing import Any

import rapidfuzz.process  # noqa: F401  # imported for the programs, like the next two
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite  # noqa: F401
from matplotlib.figure import Figure

import scapi
import scapi._sync.store
import scapi.plot
import scapi.store
import scapi.sync
from scapi.testing import FakeApi


async def call(url: str) -> None:
    """Do in both worlds what most programs do."""
    async with scapi.AppClient(token="-", base_url=url) as client:
        await client.auction("zyv9").lots()
    with scapi.sync.AppClient(token="-", base_url=url) as client:
        client.auction("zyv9").lots()


def warm() -> None:
    """Do what imports the most when it is done for the first time.

    It leaves no thread, because a process with one thread can be forked. So there is no polars, pandas or pyarrow,
    which start threads when they are imported.
    """
    fake = FakeApi()
    fake.add_token("-")
    with fake.serve() as url:
        asyncio.run(call(url))
    for kind in ("png", "svg"):
        Figure().savefig(io.BytesIO(), format=kind)


warm()

# A program that ends would otherwise collect the garbage of all that, and copy its memory for it.
gc.collect()
gc.freeze()


def next_program() -> dict[str, Any] | None:
    """Fork for each job. Return the job in its process, and None in the parent after the last one."""
    while line := sys.stdin.readline():
        if (pid := os.fork()) == 0:
            return json.loads(line)  # type: ignore[no-any-return]  # a job of `WarmPython`
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        sys.stdout.flush()
    return None


def run(job: dict[str, Any]) -> None:
    """Do what `python ARGUMENTS` does in that folder and environment."""
    for path, number in ((os.devnull, 0), (job["out"], 1), (job["err"], 2)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    sys.path[0] = job["folder"]
    exec(job["customs"], {})  # noqa: S102  # what a `sitecustomize` would do
    program, *arguments = job["arguments"]
    if program == "-c":
        sys.argv = ["-c", *arguments[1:]]
        exec(arguments[0], {"__name__": "__main__"})  # noqa: S102  # so does Python
    else:
        sys.argv = [program, *arguments]
        runpy.run_path(program, run_name="__main__")


def end() -> None:
    """End as Python does: after the threads, `atexit` and the garbage, which warns of what was left open.

    But all that is warm stays: to take it apart takes longer than most programs do.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # as Python itself does
    atexit._run_exitfuncs()
    gc.collect()
    sys.stdout.flush()
    os._exit(0)


# A program that fails, or exits by itself, leaves that to Python, with its own exit code.
if (job := next_program()) is not None:
    run(job)
    end()
