"""The page of flow rules: every rule has a test that exists, or a decision that says what is done instead."""

import re

import pytest

from tests.repo.rule_pages import DECISIONS, Row, RulePage, is_proved, known_tests

PAGE = RulePage("flow-rules.md")
ENTRIES = (
    "0040-what-of-other-flow-trackers-is-done-otherwise.md",
    "0059-numbers-and-small-things-that-differ-from-other-flow-trackers.md",
)
SECTIONS = 13
LESSONS = 37


def test_every_test_that_a_flow_rule_names_exists() -> None:
    assert len(PAGE.named_tests) > 100
    assert PAGE.named_tests - known_tests() == set()


@pytest.mark.parametrize("row", list(PAGE.rows()), ids=lambda row: row[1][-2][:40])
def test_a_flow_rule_has_tests_or_a_decision(row: Row) -> None:
    assert is_proved(row)


@pytest.mark.parametrize("entry", ENTRIES)
def test_points_of_a_decision_that_are_named_exist_and_all_are_named(entry: str) -> None:
    text = (DECISIONS / entry).read_text(encoding="utf-8")
    points = {int(number) for number in re.findall(r"^(\d+)\. ", text, re.MULTILINE)}
    said = re.findall(rf"{re.escape(entry)}\), points? ([\d, and]+)", PAGE.text)
    named = {int(number) for part in said for number in re.findall(r"\d+", part)}
    assert named <= points
    assert points == set(range(1, max(points) + 1))
    if entry == ENTRIES[1]:
        assert named == points


def test_every_section_and_every_lesson_is_there() -> None:
    found = list(PAGE.rows())
    sections = list(dict.fromkeys(section for section, _ in found))
    assert len(sections) == SECTIONS + 1
    lessons = [cells[0] for section, cells in found if section == sections[-1]]
    assert lessons == [str(number) for number in range(1, LESSONS + 1)]
