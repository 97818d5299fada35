"""The page of login rules: every rule has tests that exist, and each weakness one on the preset and one on ours."""

import ast
import re

import pytest

from tests.repo.rule_pages import ROOT, Row, RulePage, is_proved, known_tests

PAGE = RulePage("login-rules.md")
WEAKNESSES = 36
PROMISES = 10


def defined_in(name: str) -> set[str]:
    text = (ROOT / "tests" / "detect" / name).read_text(encoding="utf-8")
    return {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


def test_every_test_that_a_login_rule_names_exists() -> None:
    assert len(PAGE.named_tests) > 100
    assert PAGE.named_tests - known_tests() == set()


@pytest.mark.parametrize("row", list(PAGE.rows()), ids=lambda row: row[1][-2][:40])
def test_a_login_rule_has_tests_or_a_decision(row: Row) -> None:
    assert is_proved(row)


def test_each_weakness_is_shown_on_the_preset_first_and_then_held_here() -> None:
    rows = [cells for section, cells in PAGE.rows() if section == "What goes wrong elsewhere"]
    assert [cells[0] for cells in rows] == [f"W{number}" for number in range(1, WEAKNESSES + 1)]
    classic, ours = defined_in("test_classic.py"), defined_in("test_weaknesses.py")
    for number, _, proof in rows:
        first, *others = re.findall(r"`(test_\w+)`", proof)
        assert first in classic, number
        assert f"_{number.lower()}_" in first, number
        assert any(other in ours and f"_{number.lower()}_" in other for other in others), number


def test_every_test_of_a_weakness_is_on_the_page() -> None:
    written = {name for file in ("test_classic.py", "test_weaknesses.py") for name in defined_in(file)}
    assert {name for name in written if re.match(r"test_w\d", name)} <= PAGE.named_tests


def test_every_promise_is_there() -> None:
    numbers = [cells[0] for section, cells in PAGE.rows() if section == "What is promised"]
    assert numbers == [str(number) for number in range(1, PROMISES + 1)]
