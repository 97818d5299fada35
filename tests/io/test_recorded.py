"""Captures nobody on this project made are read to the end."""

import os
from pathlib import Path

import pytest

from lapwing.io.capture import expand_paths, open_capture

CAPTURES = os.environ.get("LAPWING_CAPTURES")


@pytest.mark.skipif(not CAPTURES, reason="LAPWING_CAPTURES names no directory of recorded captures")
@pytest.mark.parametrize(("folder", "at_least"), [("zeek", 200), ("fingerprints", 15)])
def test_every_recorded_capture_is_read_to_the_end(folder: str, at_least: int) -> None:
    paths = expand_paths([Path(CAPTURES or "") / folder])
    assert len(paths) >= at_least
    for path in paths:
        with open_capture(path) as source:
            while source.next_batch() is not None:
                pass
            counters, progress = source.statistics(), source.progress()
        assert counters["packets"] > 0
        assert counters["fault"] == 0
        assert not source.damage, path
        assert progress.read_bytes == progress.total_bytes, path
