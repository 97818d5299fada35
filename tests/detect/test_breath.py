"""A long snapshot lets other threads run in between."""

import pytest

from lapwing.detect import Detector, DetectSettings, breath
from lapwing.detect.breath import BREATH
from lapwing.detect.trackers import tracker
from lapwing.lab.pace import _tries

SOURCES = 32 * BREATH


def test_the_function_that_lets_threads_run_is_not_compiled() -> None:
    assert str(breath.__file__).endswith(".py")


def test_a_snapshot_of_many_records_breathes_all_along(monkeypatch: pytest.MonkeyPatch) -> None:
    breaths: list[None] = []
    monkeypatch.setattr(tracker, "breathe", lambda: breaths.append(None))
    detector = Detector(DetectSettings(max_sources=SOURCES))
    for _ in range(2):  # a second failure of a source is more than the journal can tell
        for event in _tries(0, SOURCES):
            detector.observe(event)
    rows = sum(count for name, count in detector.statistics().items() if name.startswith("rows_"))
    detector.snapshot()
    assert len(breaths) >= SOURCES / BREATH
    assert len(breaths) <= rows / BREATH
