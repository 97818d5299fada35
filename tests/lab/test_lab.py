"""The lab measures what it says, and the tables say what was measured."""

import math

import msgspec
import pytest

from lapwing import AuthAttempt, Guard
from lapwing.app.commands.lab import LabOptions, run
from lapwing.detect import DetectSettings
from lapwing.events import SettingsError
from lapwing.lab import FAMILIES, Measured, evaluate, figures, measure_pace, page
from lapwing.lab.report import wilson


def measured(*names: str, settings: DetectSettings | None = None) -> list[Measured]:
    return evaluate([f for f in FAMILIES if f.name in names], [7], settings or DetectSettings())


def test_an_attack_is_measured_from_its_own_first_try() -> None:
    (one,) = measured("stuffing")
    assert (one.campaigns, one.found, one.taken) == (1, 1, 2)
    assert one.attempts is not None
    assert one.attempts <= 6


def test_detection_that_never_speaks_finds_nothing_and_that_is_what_is_told() -> None:
    deaf = msgspec.convert({"finding": {"raise_at": 20}}, DetectSettings)
    numbers = figures(measured("stuffing", "rotating", settings=deaf), None)
    assert numbers["recall_loud"] == 0.0
    assert math.isinf(numbers["attempts_to_detect_rotating"])


def test_detection_that_blocks_everybody_is_told_so() -> None:
    nervous = msgspec.convert(
        {"prior": 0, "watch_at": 0, "challenge_at": 0, "delay_at": 0, "block_at": 0}, DetectSettings
    )
    numbers = figures(measured("small_office", settings=nervous), None)
    assert numbers["false_blocks_per_million"] > 0


def test_every_figure_that_has_a_target_is_on_the_page_with_its_verdict() -> None:
    some = measured("stuffing", "trickle", "small_office")
    numbers = figures(some, measure_pace(2_000, Guard, AuthAttempt, timed=2_000))
    text = page(some, numbers, [7])
    for name in ("recall_loud", "false_blocks_per_million", "decision_p50_us", "bytes_per_source"):
        assert f"| {name} | {numbers[name]:g} |" in text
    assert "| trickle | losing | 0 of 1 | inf |" in text


def test_the_same_seed_measures_the_same() -> None:
    assert measured("probing") == measured("probing")


@pytest.mark.parametrize(("hits", "of"), [(0, 10), (10, 10), (3, 9), (0, 0)])
def test_an_interval_holds_its_share(hits: int, of: int) -> None:
    low, high = wilson(hits, of)
    assert 0.0 <= low <= (hits / of if of else 0.5) <= high <= 1.0


def test_an_unknown_suite_is_refused() -> None:
    with pytest.raises(SettingsError, match="quick, release"):
        run(LabOptions(suite="none"))
