"""Settings change while a detector runs: nothing known is lost, and from then on the new ones hold."""

import msgspec
import pytest

from lapwing.detect import Detector, DetectSettings
from lapwing.events import Event
from lapwing.testing.logins import Builder, guess_here_login_there, nat, stuffing_distributed, targeted

HARDER = msgspec.convert(
    {
        "prior": -4.0,
        "source": {"account_slope": 2.0},
        "takeover": {"secret_cap": 1.0},
        "finding": {"raise_at": -1.0, "growth": 1.1},
        "answer": {"block_s": 900},
        "exclude": {"accounts": ["monitor"]},
    },
    DetectSettings,
)
BUILDERS = (stuffing_distributed, targeted, nat, guess_here_login_there)
by_name = pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)


def said(detector: Detector, events: list[Event]) -> list[object]:
    """What it tells and thinks of each login."""
    return [([*detector.observe(event)], str(detector.verdict)) for event in events]  # type: ignore[arg-type]


def halves(build: Builder) -> tuple[list[Event], list[Event]]:
    events: list[Event] = list(build(5).events)
    return events[: len(events) // 2], events[len(events) // 2 :]


@by_name
def test_changing_to_the_same_settings_changes_nothing(build: Builder) -> None:
    first, second = halves(build)
    left, changed = Detector(), Detector()
    assert said(left, first) == said(changed, first)
    changed.change(DetectSettings())
    assert changed.snapshot() == left.snapshot()
    assert said(left, second) == said(changed, second)
    assert changed.snapshot() == left.snapshot()


@by_name
def test_changing_is_the_same_as_restoring_under_the_other_settings(build: Builder) -> None:
    first, second = halves(build)
    changed, restored = Detector(), Detector(HARDER)
    said(changed, first)
    restored.restore(changed.snapshot())
    changed.change(HARDER)
    assert said(changed, second) == said(restored, second)
    assert changed.snapshot() == restored.snapshot()


def test_the_size_is_refused() -> None:
    detector = Detector()
    with pytest.raises(ValueError, match=r"detect\.max_sources"):
        detector.change(DetectSettings(max_sources=4_096))
    assert detector.settings == DetectSettings()
