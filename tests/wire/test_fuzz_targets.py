"""The fuzz targets of this room hold for their seeds, so that a fuzzing run begins where it should."""

import pytest

from fuzz import fuzz_filter, fuzz_reader


@pytest.mark.parametrize("target", [fuzz_reader, fuzz_filter])
def test_every_seed_of_a_target_holds(target) -> None:  # type: ignore[no-untyped-def]
    assert len(target.SEEDS) >= 5
    for seed in target.SEEDS:
        target.run(seed)
