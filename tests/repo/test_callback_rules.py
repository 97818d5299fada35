"""The page of callback rules: every rule has a test that exists, or a decision that says why not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "callback-rules.md"


def rows() -> Iterator[tuple[str, list[str]]]:
    """Every row of the page's tables, with the section it stands in."""
    section = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| ") else []
        if cells and "tests" not in cells and set(cells[0]) != {"-"} and "---" not in cells[0]:
            yield section, cells


def known() -> set[str]:
    """Every test there is."""
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 100
    assert named - known() == set()


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row[1][0][:40])
def test_a_rule_has_tests_or_a_decision(row: tuple[str, list[str]]) -> None:
    proof = row[1][-1]
    decision = re.search(r"\(\.\./decisions/([\w.-]+)\)", proof)
    assert "`test_" in proof or (decision is not None and (ROOT / "docs" / "decisions" / decision[1]).exists())


@pytest.mark.parametrize(("section", "count"), [("What goes wrong elsewhere", 27), ("What is promised", 18)])
def test_numbered_rules_are_all_there(section: str, count: int) -> None:
    assert [cells[0] for where, cells in rows() if where == section] == [str(number) for number in range(1, count + 1)]
