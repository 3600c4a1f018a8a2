"""A Python that has imported what most programs import, and forks a process of its own for each program.

So a program takes a fifth of its time. A job is a line of JSON on standard input; the exit code comes back as a line.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import runpy
import sys
from typing import Any

import httpx  # noqa: F401  # imported for the programs, like the next four
import matplotlib.figure  # noqa: F401
import sqlalchemy  # noqa: F401

import scapi
import scapi.sync

# The first client imports the most.
scapi.sync.AppClient(token="-").close()
asyncio.run(scapi.AppClient(token="-").close())

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


# The process of a program ends as Python does: with its own exit code, after its threads and `atexit`.
if (job := next_program()) is not None:
    run(job)
