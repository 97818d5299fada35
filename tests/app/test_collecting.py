"""Looking for cycles seldom lasts for one reading and no longer."""

import gc

import pytest

from lapwing.app.collecting import ALLOCATIONS, rare_collections


def test_python_looks_for_cycles_as_before_once_the_reading_is_over() -> None:
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold()[0] == ALLOCATIONS
    assert gc.get_threshold() == before


def test_an_error_while_reading_changes_nothing_of_that() -> None:
    before = gc.get_threshold()
    with pytest.raises(ZeroDivisionError), rare_collections():
        raise ZeroDivisionError
    assert gc.get_threshold() == before
