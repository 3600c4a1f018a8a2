"""Build the wheel and the sdist into dist/, check them, and run each in an environment of its own.

`python -m tools.dist`. It needs an index for the build tools and for what scapi depends on.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"

#: What somebody who has the sdist alone needs to read, test and build it.
IN_SDIST = (
    ".ci/run", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "PKG-INFO", "README.md", "SECURITY.md",
    "benchmarks/README.md", "docs/index.md", "examples/first_look.ipynb", "mkdocs.yml", "pyproject.toml",
    "src/scapi/py.typed", "tests/conftest.py", "tools/build_sync.py", "tools/description.py",
)  # fmt: skip


def main() -> None:
    """Build, check, install and run; exit with 1 where something is wrong."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        say("Installing the build tools")
        tools = environment(Path(folder) / "tools", *project["dependency-groups"]["dist"])
        say("Building the sdist, and the wheel from it")
        run(tools, "-m", "build", "--outdir", str(DIST), str(ROOT))
        (wheel,), (sdist,) = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
        run(tools, "-m", "twine", "check", "--strict", str(wheel), str(sdist))
        if found := [*complaints_about_wheel(names(wheel)), *complaints_about_sdist(names(sdist))]:
            sys.exit("\n".join(found))
        for archive in (wheel, sdist):
            say(f"Installing and running {archive.name}")
            python = environment(Path(folder) / archive.suffix, f"{archive}[cli]")
            run(python, "-m", "scapi", "--version")
            run(python, "-c", first_program())
    say(f"Ready: dist/{wheel.name}, dist/{sdist.name}")
    if "Repository" not in project["project"].get("urls", {}):
        say("There is no Repository in [project.urls] of pyproject.toml: the description has no links and no picture.")


def complaints_about_wheel(names: Iterable[str]) -> Iterator[str]:
    """Compare the files of a wheel with the source: exactly those of src/scapi, the metadata and the licence."""
    files = set(names)
    metadata = {name for name in files if re.match(r"scapi_client-[^/]+\.dist-info/", name)}
    source = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "scapi").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    yield from (f"the wheel has {name}" for name in sorted(files - metadata - source))
    yield from (f"the wheel lacks {name}" for name in sorted(source - files))
    wanted = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    have = {name.partition("/")[2] for name in metadata}
    yield from (f"the wheel's metadata lacks {name}" for name in sorted(wanted - have))


def complaints_about_sdist(names: Iterable[str]) -> Iterator[str]:
    """Tell what somebody would miss in an sdist, and what is made by tools and has no place in it."""
    files = {name.partition("/")[2] for name in names}
    yield from (f"the sdist lacks {name}" for name in sorted(set(IN_SDIST) - files))
    made = re.compile(r"(^|/)(__pycache__|\.venv|site|dist|\.bench)/|\.pyc$")
    yield from (f"the sdist has {name}" for name in sorted(files) if made.search(name))


def names(archive: Path) -> list[str]:
    """Return the names of all files in a wheel or sdist."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.namelist()
    with tarfile.open(archive) as sdist:
        return [member.name for member in sdist if member.isfile()]


def first_program() -> str:
    """Return the first program of the README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return readme.partition("```python\n")[2].partition("```")[0]


def environment(folder: Path, *requirements: str) -> Path:
    """Make a virtual environment, and return its interpreter."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements)
    return python


def run(python: Path, *arguments: str) -> None:
    """Run a program away from the source, where only what is installed can be imported."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SCAPI_"))}
    subprocess.run([str(python), *arguments], cwd=python.parent, env=env, check=True)


def say(text: str) -> None:
    """Print a line at once, before what the programs print."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
