"""The notebooks are valid and run from top to bottom, against the fake that they make themselves."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOKS = sorted(ROOT.glob("examples/*.ipynb"))


def shown(cell: str, names: dict[str, Any]) -> Any:
    """Run a cell, and return what a notebook would show below it."""
    body = ast.parse(cell).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)  # noqa: S102  # this is what notebooks are for
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
    names: dict[str, Any] = {"__name__": "__main__"}
    results = [shown(cell.source, names) for cell in cells]
    assert any(hasattr(result, "_repr_html_") or hasattr(result, "savefig") for result in results)


def test_there_are_three() -> None:
    assert len(NOTEBOOKS) == 3
