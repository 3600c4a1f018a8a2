"""Where the peers live: an environment of their own below `.bench/`, made by the first run with what is pinned here."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".bench"

PEERS = [
    "stalcraft-api==2.1.2",
    "aiohttp==3.14.5",
    "httpx==0.28.1",
    "orjson==3.11.4",
    "polars==2.1.0",
    "pydantic==2.14.3",
    "requests==2.34.2",
    # httpx gets it as a favour: it is twice as fast with it, and doesn't ask for it.
    "sniffio==1.3.1",
]


#: What `pip install scapi-client` brings. Imports are measured with nothing else: some packages import more where a
#: development environment happens to have it.
DEPENDENCIES = ["h11==0.16.0", "httpx==0.28.1", "msgspec==0.22.0", "sniffio==1.3.1"]

#: General limiters that share their counts through Redis.
LIMITERS = ["httpx==0.28.1", "limits==5.8.0", "pyrate-limiter==4.5.1", "redis==8.1.0", "sniffio==1.3.1"]


def ours() -> tuple[str, dict[str, str]]:
    """The interpreter that runs our programs and the raw limits, and what its environment has besides."""
    return sys.executable, {"PYTHONPATH": str(ROOT / "src")}


def peers() -> tuple[str, dict[str, str]]:
    """The interpreter that runs the peers: the same Python, with nothing of ours."""
    return _made("peers", PEERS), {"PYTHONPATH": ""}


def limiters() -> tuple[str, dict[str, str]]:
    """The interpreter that runs general limiters over Redis."""
    return _made("limiters", LIMITERS), {"PYTHONPATH": ""}


def as_installed() -> tuple[str, dict[str, str]]:
    """The interpreter of a user who installed the package without extras."""
    return _made("installed", DEPENDENCIES), {"PYTHONPATH": str(ROOT / "src")}


def _made(name: str, packages: list[str]) -> str:
    python = HOME / name / "bin" / "python"
    done = HOME / name / "installed.txt"
    wanted = "\n".join(packages)
    if not (done.exists() and done.read_text() == wanted):
        print(f"making .bench/{name} ...", file=sys.stderr)
        venv.create(HOME / name, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, *packages], check=True)
        done.write_text(wanted)
    return str(python)
