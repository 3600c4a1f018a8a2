"""Two packages called `scapi` in one environment: what a program hears that imports one of them.

The other one is made up here; only the names of its files are those of `stalcraft-api`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import scapi
from scapi.cli.doctor.findings import about_conflicts

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = Path(scapi.__file__).parent
THEIRS = ("__init__.py", "config.py", "consts.py", "enums.py", "exceptions.py", "client/__init__.py")
SUBMODULES = ("sync", "models", "pacing", "testing", "frames", "plot")
REPAIR = "pip uninstall stalcraft-api, then pip install --force-reinstall --no-deps . in your clone of scapi"


def install_ours(site: Path) -> None:
    for path in OURS.iterdir():
        if path.name != "__pycache__":
            (site / "scapi" / path.name).unlink(missing_ok=True)
            (site / "scapi" / path.name).symlink_to(path)


def install_theirs(site: Path) -> None:
    for name in THEIRS:
        (path := site / "scapi" / name).parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text('__version__ = "2.1.2"\n')


def uninstall_theirs(site: Path) -> None:
    for name in THEIRS:
        (site / "scapi" / name).unlink()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages."""
    (site := tmp_path / "site").mkdir()
    (site / "scapi").mkdir()
    return site


def python(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Without `site`, the editable installation that the tests run on isn't found, and what it needs is.
    path = os.pathsep.join((str(site), sysconfig.get_path("purelib")))
    env = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(command, cwd=site.parent, env=env, capture_output=True, text=True, check=False)  # noqa: S603


def errors(site: Path, *modules: str) -> list[str]:
    """The last line of the error that the import of each module ends in, or an empty one."""
    program = """
import importlib, sys
for module in sys.argv[1:]:
    try:
        importlib.import_module(module)
    except Exception as error:
        print(type(error).__name__, error)
    else:
        print()
"""
    return python(site, "-c", program, *modules).stdout.splitlines()


def clear(site: Path) -> str:
    return f"ImportError two packages called scapi have overwritten each other in {site / 'scapi'}: run {REPAIR}"


def test_the_other_came_first(site: Path) -> None:
    install_theirs(site)
    install_ours(site)
    modules = ["scapi", *(f"scapi.{name}" for name in (*SUBMODULES, "enums", "config"))]
    assert errors(site, *modules) == [clear(site)] * len(modules)


def test_the_other_came_last(site: Path) -> None:
    install_ours(site)
    install_theirs(site)
    assert errors(site, *(f"scapi.{name}" for name in SUBMODULES)) == [clear(site)] * len(SUBMODULES)


@pytest.mark.parametrize("order", [(install_theirs, install_ours), (install_ours, install_theirs)])
def test_the_other_was_uninstalled_and_this_one_repaired(site: Path, order: tuple[Callable[[Path], None], ...]) -> None:
    for install in order:
        install(site)
    uninstall_theirs(site)
    assert errors(site, *(f"scapi.{name}" for name in SUBMODULES)) == [clear(site)] * len(SUBMODULES)
    install_ours(site)
    # An empty folder of the other one may be left, and is harmless.
    assert (site / "scapi" / "client").is_dir()
    assert errors(site, "scapi", "scapi.sync", "scapi.models") == [""] * 3


@pytest.mark.parametrize("uninstalled", [False, True])
def test_the_command_says_it_in_one_line(site: Path, *, uninstalled: bool) -> None:
    install_ours(site)
    install_theirs(site)
    if uninstalled:
        uninstall_theirs(site)
    done = python(site, "-m", "scapi", "doctor", "--fake")
    assert (done.returncode, done.stdout) == (9, "")
    assert done.stderr == clear(site).replace("ImportError ", "scapi: ") + "\n"


def test_the_doctor_names_a_package_that_the_import_does_not_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(about_conflicts()) == []
    (info := tmp_path / "stalcraft_api-2.1.2.dist-info").mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stalcraft-api\nVersion: 2.1.2\n")
    (info / "top_level.txt").write_text("scapi\n")
    monkeypatch.syspath_prepend(tmp_path)
    (finding,) = about_conflicts()
    assert (finding.mark, finding.subject) == ("failed", "packages")
    assert finding.text.startswith("stalcraft-api 2.1.2 is imported as scapi, too")
    assert finding.text.endswith(REPAIR)
