"""The page of flow rules: every rule has a test that exists, or a decision that says what is done instead."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "flow-rules.md"
DECISION = ROOT / "docs" / "decisions" / "0040-what-of-other-flow-trackers-is-done-otherwise.md"
SECTIONS = 13
LESSONS = 37


def rows() -> Iterator[tuple[str, list[str]]]:
    """Every row of the page's tables, with the section it stands in."""
    section = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("| ") and "---" not in line and not line.endswith("| tests |"):
            yield section, [cell.strip() for cell in line.strip("|").split(" | ")]


def known() -> set[str]:
    """Every test there is."""
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_test_that_a_flow_rule_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 100
    assert named - known() == set()


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row[1][-2][:40])
def test_a_flow_rule_has_tests_or_a_decision(row: tuple[str, list[str]]) -> None:
    proof = row[1][-1]
    decision = re.search(r"\(\.\./decisions/([\w.-]+)\)", proof)
    assert "`test_" in proof or (decision is not None and (ROOT / "docs" / "decisions" / decision[1]).exists())


def test_points_of_the_decision_that_are_named_exist() -> None:
    points = {int(number) for number in re.findall(r"^(\d+)\. ", DECISION.read_text(encoding="utf-8"), re.MULTILINE)}
    said = re.findall(r"done-otherwise\.md\), points? ([\d, and]+)", PAGE.read_text(encoding="utf-8"))
    named = {int(number) for part in said for number in re.findall(r"\d+", part)}
    assert named <= points
    assert points == set(range(1, max(points) + 1))


def test_every_section_and_every_lesson_is_there() -> None:
    found = list(rows())
    sections = list(dict.fromkeys(section for section, _ in found))
    assert len(sections) == SECTIONS + 1
    lessons = [cells[0] for section, cells in found if section == sections[-1]]
    assert lessons == [str(number) for number in range(1, LESSONS + 1)]
