"""The page of callback rules: every rule has a test that exists, or a decision that says why not."""

import pytest

from tests.repo.rule_pages import Row, RulePage, is_proved, known_tests

PAGE = RulePage("callback-rules.md")


def test_every_test_that_a_callback_rule_names_exists() -> None:
    assert len(PAGE.named_tests) > 100
    assert PAGE.named_tests - known_tests() == set()


@pytest.mark.parametrize("row", list(PAGE.rows()), ids=lambda row: row[1][0][:40])
def test_a_callback_rule_has_tests_or_a_decision(row: Row) -> None:
    assert is_proved(row)


@pytest.mark.parametrize(("section", "count"), [("What goes wrong elsewhere", 27), ("What is promised", 18)])
def test_numbered_rules_are_all_there(section: str, count: int) -> None:
    assert [cells[0] for where, cells in PAGE.rows() if where == section] == [
        str(number) for number in range(1, count + 1)
    ]
