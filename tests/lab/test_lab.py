"""The lab measures what it says, and the tables say what was measured."""

import math
import sys
from pathlib import Path

import msgspec
import pytest

from lapwing import AuthAttempt, Guard
from lapwing.app.commands.lab import SUITES, LabOptions, run, run_compare
from lapwing.detect import DetectSettings
from lapwing.events import LapwingError, SettingsError
from lapwing.lab import FAMILIES, Measured, draw, evaluate, figures, measure_pace, page
from lapwing.lab.plot import attempts_by_family, suspected_by_family
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


def test_the_figures_named_for_machines_are_there_and_flat() -> None:
    pace = measure_pace(2_000, Guard, AuthAttempt, timed=2_000)
    numbers = figures(measured("stuffing", "rotating", "stuffing_distributed", "small_office"), pace)
    named = {
        "recall_loud", "recall_slow", "recall_distributed", "false_blocks_per_million",
        "false_challenges_per_ten_thousand", "takeover_precision", "takeover_recall", "attempts_to_detect_loud",
        "attempts_to_detect_fingerprint", "attempts_to_detect_rotating", "decision_p50_us", "decision_p99_us",
        "bytes_per_source",
    }  # fmt: skip
    assert named <= set(numbers)
    assert all(isinstance(value, int | float) for value in numbers.values())


def test_enough_ordinary_logins_bound_the_share_of_wrong_ones() -> None:
    release = SUITES["release"]
    people = sum(m.legitimate for m in evaluate([f for f in FAMILIES if f.claim == "benign"], [7], DetectSettings()))
    assert wilson(0, people * release.benign)[1] < 1e-6


def test_drawing_asks_for_the_library_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SettingsError, match="pip install matplotlib"):
        draw([], tmp_path / "plot.svg")


def test_what_is_drawn_is_what_was_measured() -> None:
    some = measured("stuffing", "trickle", "outage")
    assert attempts_by_family(some) == {"stuffing": some[0].attempts}
    assert set(suspected_by_family(some)) == {"outage"}
    assert suspected_by_family(some)["outage"] > 0.05


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (LabOptions(clean=["192.0.2.300"]), "--clean 192.0.2.300: is no IP address"),
        (LabOptions(logs=[Path("nothing.log")]), "nothing.log: cannot be opened"),
        (LabOptions(plot=Path("plot.words")), "--plot"),
    ],
)
def test_what_cannot_be_used_is_refused_before_the_work(
    options: LabOptions, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lapwing.app.commands.lab.evaluate", lambda *_: pytest.fail("measured first"))
    with pytest.raises(LapwingError, match=message):
        run(options)


def test_a_log_that_says_nothing_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lapwing.app.commands.lab.evaluate", lambda *_: pytest.fail("measured first"))
    monkeypatch.setattr("lapwing.app.commands.lab.compare", lambda *_: pytest.fail("compared first"))
    for text, message in (("some notes\n" * 9, "a log of a known format"), ("", "no login with an outcome")):
        (tmp_path / "notes").write_text(text)
        for command in (run, run_compare):
            with pytest.raises(LapwingError, match=message):
                command(LabOptions(logs=[tmp_path / "notes"], resident=0))


def test_a_comparison_on_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="nothing to compare"):
        run_compare(LabOptions(seeds=0))


def test_the_loud_figure_is_that_of_the_family_which_takes_longest() -> None:
    some = measured("stuffing", "guessing_hidden")
    attempts = {one.family: one.attempts or math.inf for one in some}
    assert figures(some, None)["attempts_to_detect_loud"] == attempts["guessing_hidden"] > attempts["stuffing"]


def test_an_unknown_suite_is_refused() -> None:
    with pytest.raises(SettingsError, match="quick, release"):
        run(LabOptions(suite="none"))


def test_logins_an_attack_won_before_it_was_told_of_are_counted() -> None:
    deaf = msgspec.convert({"finding": {"raise_at": 20}}, DetectSettings)
    (found,), (missed,) = measured("guessing_won"), measured("guessing_won", settings=deaf)
    assert (found.taken_before, missed.taken_before) == (0, 1)
