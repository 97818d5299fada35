"""Pages of rules: tables whose last column names the tests that prove a rule, or the decision not to have it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs" / "decisions"

Row = tuple[str, list[str]]


class RulePage:
    """One page of docs/reference."""

    def __init__(self, name: str) -> None:
        self.text = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")

    def rows(self) -> Iterator[Row]:
        """Every row of the page's tables, with the section it stands in."""
        section = ""
        for line in self.text.splitlines():
            if line.startswith("## "):
                section = line.removeprefix("## ")
            elif line.startswith("| ") and "---" not in line and not line.endswith("| tests |"):
                yield section, [cell.strip() for cell in line.strip("|").split(" | ")]

    @property
    def named_tests(self) -> set[str]:
        """Every test the page names."""
        return set(re.findall(r"`(test_\w+)`", self.text))


def is_proved(row: Row) -> bool:
    """Whether the row names a test, or a decision that exists."""
    proof = row[1][-1]
    decision = re.search(r"\(\.\./decisions/([\w.-]+)\)", proof)
    return "`test_" in proof or (decision is not None and (DECISIONS / decision[1]).exists())


@cache
def known_tests() -> frozenset[str]:
    """Every test there is."""
    return frozenset(
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
