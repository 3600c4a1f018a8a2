"""What is published: the files of the wheel, its metadata, and the description that an index shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import scapi
from tools import dist
from tools.description import description
from tools.site import on_page_markdown

if TYPE_CHECKING:
    from email.message import Message

README = (dist.ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "https://example.org/somebody/scapi"
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")


def links(text: str) -> list[str]:
    return ["".join(groups) for groups in LINK.findall(text)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (built,) = WheelBuilder(str(dist.ROOT)).build(
        directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"]
    )
    return Path(built)


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name))


def test_the_wheel_holds_the_package_its_licence_and_nothing_else(wheel: Path) -> None:
    assert list(dist.complaints_about_wheel(dist.names(wheel))) == []


def test_the_sdist_holds_what_its_readers_need(tmp_path: Path) -> None:
    (built,) = SdistBuilder(str(dist.ROOT)).build(directory=str(tmp_path), versions=["standard"])
    assert list(dist.complaints_about_sdist(dist.names(Path(built)))) == []


def test_what_is_wrong_with_an_archive_is_said(wheel: Path) -> None:
    names = {*dist.names(wheel), "tests/test_package.py"} - {"scapi/py.typed", "scapi/_sync/clients.py"}
    names = {name for name in names if not name.endswith("/LICENSE")}
    assert list(dist.complaints_about_wheel(names)) == [
        "the wheel has tests/test_package.py",
        "the wheel lacks scapi/_sync/clients.py",
        "the wheel lacks scapi/py.typed",
        "the wheel's metadata lacks licenses/LICENSE",
    ]
    sdist = {*(f"scapi-1/{name}" for name in dist.IN_SDIST), "scapi-1/src/scapi/__pycache__/a.pyc"}
    assert list(dist.complaints_about_sdist(sdist - {"scapi-1/LICENSE"})) == [
        "the sdist lacks LICENSE",
        "the sdist has src/scapi/__pycache__/a.pyc",
    ]


@pytest.mark.socket
def test_the_wheel_runs_the_command_and_the_first_program(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    # Without `site`, what scapi depends on is found, but not the source that the other tests run on.
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path / "site"), sysconfig.get_path("purelib")))}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-S", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout  # noqa: S603

    assert run("-m", "scapi", "--version") == f"scapi, version {scapi.__version__}\n"
    assert run("-c", "import scapi; print(scapi.__file__)").startswith(str(tmp_path))
    assert run("-c", dist.first_program()).startswith("emission now: ")


def test_the_metadata_is_complete(metadata: Message) -> None:
    assert metadata["Name"] == "scapi-client"
    assert metadata["Version"] == scapi.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Description-Content-Type"] == "text/markdown"
    for field in ("Summary", "Author", "Keywords", "Classifier", "Requires-Dist", "Provides-Extra"):
        assert metadata[field], field


def test_the_description_has_no_link_that_an_index_can_not_resolve(metadata: Message) -> None:
    payload = metadata.get_payload()
    assert isinstance(payload, str)
    assert payload.startswith("# scapi\n")
    assert [link for link in links(payload) if not link.startswith("https://")] == []


def test_links_and_pictures_lead_to_the_repository_once_it_has_an_address() -> None:
    text = description(README, ADDRESS + "/")
    relative = [link for link in links(README) if not link.startswith("https://")]
    absolute = [link for link in links(text) if link.startswith(ADDRESS)]
    assert len(absolute) == len(relative) > 10
    for link in absolute:
        kind, _, path = link.removeprefix(f"{ADDRESS}/").partition("/HEAD/")
        assert kind == ("raw" if path.endswith(".png") else "blob")
        assert (dist.ROOT / path.partition("#")[0]).exists()
    assert f"git clone {ADDRESS} scapi" in text


def test_without_an_address_links_become_text_and_the_picture_is_left_out() -> None:
    text = description(README, None)
    assert "[" not in re.sub(r'"\.\[[a-z,]+\]"', "", text)  # extras
    assert "<picture>" not in text
    assert "- **The limit.**" in text


def test_the_picture_is_dark_where_the_theme_is() -> None:
    (dark, light) = re.findall(r'srcset="(.+?)"|<img src="(.+?)"', README)
    assert re.search(r'<source media="\(prefers-color-scheme: dark\)" srcset="docs/img/.+-dark\.png">', README)
    assert dark[0].replace("-dark", "-light") == light[1]


def test_the_site_shows_the_picture_of_its_theme_and_links_it_to_its_file() -> None:
    dark = '<source media="(prefers-color-scheme: dark)" srcset="img/b-dark.png">'
    picture = f'<picture>{dark}<img src="img/b-light.png" alt="a"></picture>'
    assert on_page_markdown(f"{picture}\n![c](img/d.svg)") == (
        "[![a](img/b-light.png#only-light)](img/b-light.png)"
        "[![a](img/b-dark.png#only-dark)](img/b-dark.png)\n![c](img/d.svg)"
    )
    for page in (dist.ROOT / "docs").glob("*.md"):
        text = on_page_markdown(page.read_text(encoding="utf-8"))
        assert "<picture>" not in text
        assert "-light.png)" not in re.sub(r"#only-light\)\]\(\S+\)", "", text)
        for found in re.findall(r"\]\((img/[^)#]+)", text):
            assert (page.parent / found).exists()
