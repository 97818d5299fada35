"""The tutorial notebook runs from top to bottom, shows what it says, and is kept without outputs."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs").rglob("*.ipynb"))
every_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)


def code_cells(notebook: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]


def run(cell: dict[str, Any], names: dict[str, Any]) -> Any:
    """Run one cell as a notebook does; the value of its last expression is what it shows."""
    tree = ast.parse("".join(cell["source"]))
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        del tree.body[-1]
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None


@every_notebook
def test_it_is_kept_without_outputs(notebook: Path) -> None:
    assert [cell for cell in code_cells(notebook) if cell["outputs"] or cell["execution_count"] is not None] == []


@every_notebook
def test_every_cell_runs_and_shows_something_rich(notebook: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    shown = [run(cell, names) for cell in code_cells(notebook) if "matplotlib" not in cell["metadata"].get("tags", ())]
    pages = [value._repr_html_() for value in shown if hasattr(value, "_repr_html_")]
    assert len(pages) >= len(shown) - 1
    assert all("<table" in page for page in pages)
    assert sum("finding" in page or "stuffing" in page or "takeover" in page for page in pages) >= 1


@every_notebook
def test_every_plot_is_drawn(notebook: Path) -> None:
    drawing = pytest.importorskip("matplotlib", reason="the notebook draws with the reader's plotting library")
    drawing.use("agg")
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in code_cells(notebook):
        run(cell, names)
        if "matplotlib" in cell["metadata"].get("tags", ()):
            assert names["axes"].has_data()


@every_notebook
def test_links_lead_somewhere(notebook: Path) -> None:
    for cell in json.loads(notebook.read_text())["cells"]:
        for part in "".join(cell["source"]).split("](")[1:]:
            target = part.partition(")")[0]
            assert target.startswith("https:") or (notebook.parent / target).exists()
