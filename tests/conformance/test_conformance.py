"""What Lapwing says of a trace is what Zeek says of it, but for differences that have a reason."""

import pytest

from tests.conformance.compare import Comparison
from tests.conformance.page import PAGE, compare_all, render
from tests.conformance.reasons import ALL_REASONS
from tests.conformance.zeek_logs import captures

MIN_AGREE_PERCENT = 95.0

pytestmark = pytest.mark.skipif(captures() is None, reason="LAPWING_CAPTURES: no captures to compare with")


@pytest.fixture(scope="module")
def comparisons() -> list[Comparison]:
    return compare_all()


def test_at_least_nineteen_of_twenty_rows_of_every_log_agree(comparisons: list[Comparison]) -> None:
    low = {result.log: result.agree_percent for result in comparisons if result.agree_percent < MIN_AGREE_PERCENT}
    assert low == {}


def test_every_row_that_differs_has_a_reason(comparisons: list[Comparison]) -> None:
    unexplained = [difference for result in comparisons for difference in result.differences if not difference.reason]
    assert unexplained == []


def test_every_reason_is_still_needed(comparisons: list[Comparison]) -> None:
    given = {case for reasons in ALL_REASONS for case in reasons}
    assert given == {difference.case for result in comparisons for difference in result.differences}


def test_the_comparison_is_of_many_rows(comparisons: list[Comparison]) -> None:
    assert {result.log: result.compared for result in comparisons if result.compared == 0} == {}
    assert sum(result.compared for result in comparisons) > 1_500


def test_the_published_page_is_what_the_comparison_finds_now(comparisons: list[Comparison]) -> None:
    assert PAGE.read_text() == render(comparisons), "run `python -m tests.conformance.page`"
