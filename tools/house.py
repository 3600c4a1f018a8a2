"""Print the figures of the package's own code that CONTRIBUTING.md keeps: `python -m tools.house`.

The generated tree is left out: its figures are those of its source.
"""

from __future__ import annotations

import ast
import io
import statistics
import tokenize
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "scapi"

#: Lines that two places share before they count as a duplicated block.
BLOCK = 6

#: Lines of a module above which it needs a reason.
LARGE = 400


class Module(NamedTuple):
    """A module: its path below the package, its lines, and its syntax."""

    path: str
    lines: Sequence[str]
    tree: ast.Module


def read() -> list[Module]:
    """Read all modules that are written by hand."""
    found: list[Module] = []
    for path in sorted(SOURCE.rglob("*.py")):
        if "_sync" not in path.parts:
            text = path.read_text(encoding="utf-8")
            found.append(Module(path.relative_to(SOURCE).as_posix(), text.splitlines(), ast.parse(text)))
    return found


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Find the functions and methods of a module, those within others left out."""
    waiting: list[ast.AST] = [module.tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node
            else:
                waiting.append(node)


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function from its `def` on, its docstring and blank lines left out."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    head = function.body[0].lineno - function.lineno
    return head + (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else head


def is_private(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function is a private helper; `__init__` and its like are not."""
    return function.name.startswith("_") and not function.name.endswith("__")


def comments(module: Module) -> int:
    """Count the comments of a module; those for tools are none."""
    tokens = tokenize.generate_tokens(io.StringIO("\n".join(module.lines) + "\n").readline)
    texts = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return sum(
        not text.lstrip("# ").startswith(("noqa", "type:", "pyright:", "pragma:", "fmt:", "ruff:")) for text in texts
    )


def code_lines(module: Module) -> list[tuple[int, str]]:
    """List the lines of code with their numbers: no blank line, comment, docstring or import."""
    skipped: set[int] = set()
    for node in ast.walk(module.tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str())) | ast.Import() | ast.ImportFrom():
                skipped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            case _:
                pass
    stripped = ((number, line.strip()) for number, line in enumerate(module.lines, 1) if number not in skipped)
    return [(number, line) for number, line in stripped if line and not line.startswith("#")]


def duplicates(modules: Sequence[Module]) -> list[tuple[str, str]]:
    """Find pairs of places that share `BLOCK` or more lines of code, each run counted once."""
    places: defaultdict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    code = [code_lines(module) for module in modules]
    for number, lines in enumerate(code):
        for start in range(len(lines) - BLOCK + 1):
            places[tuple(line for _, line in lines[start : start + BLOCK])].append((number, start))
    pairs = {pair for found in places.values() if len(found) > 1 for pair in combinations(found, 2)}
    # A longer run is a chain of windows: only its first is counted.
    firsts = {((a, i), (b, j)) for (a, i), (b, j) in pairs if ((a, i - 1), (b, j - 1)) not in pairs}
    return sorted(
        (f"{modules[a].path}:{code[a][i][0]}", f"{modules[b].path}:{code[b][j][0]}") for (a, i), (b, j) in firsts
    )


def figures() -> dict[str, str]:
    """Compute all figures: what is measured, and its value."""
    modules = read()
    found = [function for module in modules for function in functions(module)]
    lengths = sorted(map(length, found))
    twins = sum(
        len(module.lines) for module in modules if module.path in {"_primitives/aio.py", "_primitives/threads.py"}
    )
    mirrored = sum(len(module.lines) for module in modules if module.path.startswith("_async/"))
    code = sum(len(code_lines(module)) for module in modules)
    large = [f"`{module.path}` ({len(module.lines)})" for module in modules if len(module.lines) > LARGE]
    return {
        "modules, lines": f"{len(modules)}, {sum(len(module.lines) for module in modules):,}",
        "function length, median / p90 / longest": (
            f"{statistics.median(lengths):.0f} / {lengths[len(lengths) * 9 // 10]} / {lengths[-1]}"
        ),
        "private helpers": f"{100 * sum(map(is_private, found)) / len(found):.0f} % of {len(found)} functions",
        f"modules over {LARGE} lines": ", ".join(large) or "none",
        "twins ÷ (twins + `_async`)": f"{100 * twins / (twins + mirrored):.0f} % ({twins} lines)",
        "comments per 100 lines of code": f"{100 * sum(map(comments, modules)) / code:.1f}",
        "duplicated blocks": str(len(duplicates(modules))),
    }


def main() -> None:
    """Print the table, and the places that repeat each other."""
    for name, value in figures().items():
        print(f"| {name} | {value} |")
    for one, other in duplicates(read()):
        print(f"  {one} ~ {other}")


if __name__ == "__main__":
    main()
