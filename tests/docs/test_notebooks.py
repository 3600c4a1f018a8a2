"""The notebooks are valid, and a real kernel runs them, against the fake that they make themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient

from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOKS = sorted(ROOT.glob("examples/*.ipynb"))

#: What each has to show: MIME types of results.
SHOWN = {
    "artefact_month_async": {"text/html": 3, "image/png": 1},
    "artefact_month_sync": {"text/html": 3, "image/png": 1},
    "first_look": {"text/html": 7},
    "market_snapshot": {"text/html": 2, "image/png": 1},
    "price_history": {"text/html": 2, "image/png": 1},
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages between us and the kernel
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_its_tables_and_charts(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
    NotebookClient(
        notebook, timeout=300, startup_timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = [kind for cell in cells for output in cell.outputs for kind in output.get("data", {})]
    assert {kind: shown.count(kind) for kind in SHOWN[path.stem]} == SHOWN[path.stem]


def test_each_is_known_and_named_on_the_first_page() -> None:
    assert {path.stem for path in NOTEBOOKS} == set(SHOWN)
    page = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert [stem for stem in SHOWN if f"`{stem}`" not in page] == []
