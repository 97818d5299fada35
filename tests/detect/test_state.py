"""State is read and joined part by part: bounded, breathing, whole or not at all."""

import tracemalloc
from collections.abc import Callable

import msgspec
import pytest

from lapwing.detect import Detector, DetectSettings, Verdict, unpacking
from lapwing.detect.breath import BREATH
from lapwing.detect.decay import SECOND_NS
from lapwing.events import Action, AuthResolved
from lapwing.lab.pace import _tries
from lapwing.testing.logins import START_NS, Traffic, attacker

SOURCES = 32 * BREATH
KEY = bytes(16)
BAD = Verdict(Action.BLOCK, 1.0, 20.0, ())


def knowing(sources: int, rounds: int = 2) -> Detector:
    """A detector that knows so many sources: as sparks after one round, as rows after two."""
    detector = Detector(DetectSettings(max_sources=sources))
    for _ in range(rounds):
        for event in _tries(0, sources):
            detector.observe(event)
    return detector


@pytest.fixture
def breaths(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    taken: list[None] = []
    monkeypatch.setattr(unpacking, "breathe", lambda: taken.append(None))
    return taken


def records(detector: Detector) -> int:
    return sum(count for name, count in detector.statistics().items() if name.startswith("rows_"))


@pytest.mark.parametrize("rounds", [1, 2])
def test_what_was_restored_is_the_same_to_the_byte_and_breathes_all_along(breaths: list[None], rounds: int) -> None:
    detector = knowing(SOURCES, rounds)
    snapshot = detector.snapshot()
    restored = detector.sibling()
    restored.restore(snapshot)
    assert len(breaths) >= records(detector) / BREATH
    assert restored.snapshot() == snapshot
    for event in _tries(SOURCES // 2, SOURCES):
        detector.observe(event)
        restored.observe(event)
    assert restored.snapshot() == detector.snapshot()


@pytest.mark.parametrize("rounds", [1, 2])
def test_no_step_of_a_merge_adds_more_than_a_few_records(rounds: int) -> None:
    detector, other = Detector(DetectSettings(max_sources=SOURCES)), knowing(SOURCES, rounds)
    steps = detector.merging(other.snapshot())
    assert next(steps) == []
    before = Detector(DetectSettings(max_sources=SOURCES)).statistics()
    assert detector.statistics() == before
    known = 0
    for _ in steps:
        assert records(detector) - known <= BREATH
        known = records(detector)
    assert known == records(other)


def overhead(sources: int, use: Callable[[Detector, bytes], None]) -> int:
    """Bytes that reading a state takes for a time, where nothing of it is new, and records are all alike."""
    detector = Detector(DetectSettings(max_sources=sources))
    for event in (*_tries(0, sources), *_tries(0, sources)):
        detector.observe(msgspec.structs.replace(event, fingerprint=None))
    snapshot = detector.snapshot()
    use(detector, snapshot)
    tracemalloc.start()
    try:
        use(detector, snapshot)
        now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return most - now


def test_what_a_merge_takes_for_a_time_does_not_grow_with_what_is_known() -> None:
    small, large = (overhead(sources, Detector.merge) for sources in (SOURCES, 4 * SOURCES))
    assert large < 1.3 * small


def traffic() -> list[AuthResolved]:
    t = Traffic(5)
    for n in range(300):
        t.login(START_NS + n * SECOND_NS, attacker(n % 40), f"user{n}", f"guess {n}")
        t.person(START_NS + n * SECOND_NS, f"10.1.{n % 250}.1", f"worker{n}", "ja4:browser")
    return t.scenario("both").events


def test_logins_that_come_between_the_steps_of_a_merge_are_counted_like_any_other() -> None:
    one, left, right = Detector(), Detector(), Detector()
    events = traffic()
    for event in events:
        one.observe(event)
    before, meanwhile = events[: len(events) // 2], iter(events[len(events) // 2 :])
    for n, event in enumerate(before):
        (left if n // 2 % 2 else right).observe(event)
    for _ in left.merging(right.snapshot()):
        for event in meanwhile:
            left.observe(event)
            break
    assert len(list(map(left.observe, meanwhile))) > len(events) // 4
    for n in range(40):
        merged, single = left.look("source", attacker(n)), one.look("source", attacker(n))
        del merged["under_attack"], single["under_attack"]
        assert merged == pytest.approx(single, rel=0.05, abs=0.05)


def test_settings_that_change_between_the_steps_of_a_merge_hold_for_the_rest() -> None:
    detector, other = knowing(SOURCES // 2), knowing(SOURCES)
    other.change(DetectSettings(max_sources=SOURCES, prior=-5.0))
    bounded = Detector(DetectSettings(max_sources=SOURCES))
    bounded.restore(detector.snapshot())
    changed = DetectSettings(max_sources=SOURCES, prior=-5.0)
    for number, _ in enumerate(bounded.merging(other.snapshot())):
        if number == 3:
            bounded.change(changed)
    assert bounded.settings == changed
    assert records(bounded) == records(other)


def test_what_was_decided_is_in_the_state_and_under_its_seal() -> None:
    detector = knowing(1_024)
    decided = detector.decisions(1_024, KEY)
    for number in range(2 * BREATH):
        decided.answer(BAD, f"198.51.{number >> 8}.{number & 255}", START_NS, known=False)
    assert len(decided.in_force(START_NS)) == 2 * BREATH
    again = detector.sibling()
    standing = again.decisions(1_024, KEY)
    again.restore(detector.snapshot())
    assert standing.in_force(START_NS) == decided.in_force(START_NS)
    assert again.snapshot() == detector.snapshot()
    again.restore(knowing(1_024).snapshot())
    assert len(standing) == 0


def test_a_smaller_detector_keeps_what_it_has_room_for_and_refuses_a_journal_it_has_none_for() -> None:
    smaller = Detector(DetectSettings(max_sources=SOURCES // 2))
    too_large = knowing(4 * SOURCES, 1).snapshot()
    empty = smaller.snapshot()
    for take in (smaller.restore, smaller.merge):
        with pytest.raises(ValueError, match="larger than this one may be"):
            take(too_large)
        assert smaller.snapshot() == empty
    smaller.restore(knowing(SOURCES, 1).snapshot())
    assert smaller.statistics()["rows_source"] == SOURCES // 2


def test_states_of_earlier_versions_are_told_by_their_number() -> None:
    for version in (6, 7, 8):
        with pytest.raises(ValueError, match=f"snapshot version {version}, this is version 9"):
            Detector().restore(msgspec.msgpack.encode({"version": version, "check": 0, "journal": bytes(64)}))
    with pytest.raises(ValueError, match="not a snapshot of version 9: a dict was expected"):
        Detector().restore(msgspec.msgpack.encode([1, 0, 0, [], b"of a guard, once"]))


def test_what_is_not_used_any_more_is_given_back_bit_by_bit() -> None:
    detector = knowing(SOURCES)
    tracemalloc.start()
    try:
        again = detector.sibling()
        again.restore(detector.snapshot())
        held = tracemalloc.get_traced_memory()[0]
        again.dismantle()
        assert tracemalloc.get_traced_memory()[0] < held / 3  # without the records, whose memory is their own
    finally:
        tracemalloc.stop()
