"""A guard's state: whole or not at all, and nobody waits for it."""

import threading
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing import AuthAttempt, AuthResult, Guard
from lapwing.detect import DetectSettings, unpacking
from lapwing.detect.settings import AnswerSettings
from lapwing.events import Action
from lapwing.sessions import PipelineSettings
from lapwing.testing.logins import START_NS
from lapwing.web import Gate
from tests.web.test_gate import ATTACKER, Clock, attacked

KEY = b"sixteen bytes or more"
SECOND_NS = 1_000_000_000
SMALL = DetectSettings(max_sources=1_024)
BRIEF = DetectSettings(max_sources=1_024, answer=AnswerSettings(challenge_s=30, delay_s=30, block_s=30, longest_s=30))
JOIN_S = 60


def guard(attacks: int = 0) -> Guard:
    subject = Guard(SMALL, key=KEY, clock=lambda: START_NS)
    for n in range(attacks * 12):
        subject.result(AuthResult(source=f"198.51.100.{n // 12}", username=f"user{n}", secret=f"{n}", outcome="failed"))
    for n in range(attacks):
        ask(subject, n)
    return subject


def ask(subject: Guard, n: int) -> Action:
    return subject.attempt(AuthAttempt(source=f"198.51.100.{n}", username="another", secret="any")).action


def gate(attacks: int = 0) -> Gate:
    subject = Gate(PipelineSettings(detect=SMALL), key=KEY, clock=Clock())
    if attacks:
        attacked(subject)
    return subject


KNOWING = guard(3)
SNAPSHOTS = (KNOWING.snapshot(), gate(1).snapshot())
EMPTY = (guard(), gate())


@given(st.sampled_from((0, 1)), st.data(), st.integers(1, 255))
def test_damage_anywhere_is_refused_and_nothing_changed(which: int, data: st.DataObject, change: int) -> None:
    subject, whole = EMPTY[which], SNAPSHOTS[which]
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] ^= change
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    before = subject.snapshot()
    for take in (subject.restore, subject.merge) if isinstance(subject, Guard) else (subject.restore,):
        for bad in (bytes(damaged), cut):
            with pytest.raises(ValueError, match="snapshot"):
                take(bad)
    assert subject.snapshot() == before


def test_decisions_are_under_the_seal_like_the_rest() -> None:
    whole = SNAPSHOTS[0]
    at = whole.rindex(bytes([198, 51, 100, 2]))
    with pytest.raises(ValueError, match="the snapshot is damaged"):
        guard().restore(whole[:at] + bytes([198, 51, 100, 9]) + whole[at + 4 :])


def test_what_was_restored_goes_on_as_what_was_kept_to_the_byte() -> None:
    straight, restored = guard(3), guard(1)
    restored.restore(memoryview(straight.snapshot()))
    assert restored.snapshot() == straight.snapshot()
    for n in range(6):
        assert ask(restored, n) is ask(straight, n)
    assert restored.decisions() == straight.decisions()
    assert restored.snapshot() == straight.snapshot()


def test_the_state_of_something_else_is_refused_before_anything_is_taken() -> None:
    for subject, other in ((guard(1), gate(1)), (gate(1), guard(1))):
        before = subject.snapshot()
        with pytest.raises(ValueError, match="not a snapshot of a"):
            subject.restore(other.snapshot())
        assert subject.snapshot() == before
    with pytest.raises(ValueError, match="not a snapshot of a guard"):
        guard().merge(gate().snapshot())


def test_a_state_of_before_is_refused_by_its_version() -> None:
    for old in ([1, 0, 0, [], b"detector"], [1, [], b"detector"]):
        for subject in (guard(), gate()):
            with pytest.raises(ValueError, match="not a snapshot of version 9"):
                subject.restore(msgspec.msgpack.encode(old))


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], list[object]]:
    """Has something done by another thread in the middle of reading a state, which has to be through with it."""

    def arrange(work: Callable[[], object]) -> list[object]:
        done: list[object] = []

        def breathe() -> None:
            if done:
                return
            thread = threading.Thread(target=lambda: done.append(work()), daemon=True)
            thread.start()
            thread.join(JOIN_S)

        monkeypatch.setattr(unpacking, "breathe", breathe)
        return done

    return arrange


def test_a_guard_answers_while_a_state_is_read(meanwhile: Callable[..., list[object]]) -> None:
    subject, snapshot = guard(1), SNAPSHOTS[0]
    done = meanwhile(lambda: [ask(subject, n) for n in range(3)])
    subject.restore(snapshot)
    assert done == [[Action.BLOCK, Action.ALLOW, Action.ALLOW]]
    assert [ask(subject, n) for n in range(3)] == [Action.BLOCK] * 3


def test_a_gate_answers_while_a_state_is_read(meanwhile: Callable[..., list[object]]) -> None:
    subject = gate()
    done = meanwhile(lambda: subject.answer(ATTACKER).action)
    subject.restore(SNAPSHOTS[1])
    assert done == [Action.ALLOW]
    assert subject.answer(ATTACKER).action is Action.BLOCK
    attacked(subject, "203.0.113.80")
    assert subject.answer("203.0.113.80").action is Action.BLOCK


def test_settings_that_change_while_a_state_is_read_hold_for_it(meanwhile: Callable[..., list[object]]) -> None:
    subject = guard()
    meanwhile(lambda: subject.change(BRIEF))
    subject.restore(SNAPSHOTS[0])
    assert subject.settings == BRIEF
    for n in range(12):
        subject.result(AuthResult(source="198.51.100.77", username=f"user{n}", secret=f"{n}", outcome="failed"))
    answer = subject.attempt(AuthAttempt(source="198.51.100.77", username="another", secret="any"))
    assert 0 < answer.retry_after_s <= 30


def test_a_guard_answers_between_the_steps_of_a_merge_and_snapshots_wait_for_its_end() -> None:
    other = Guard(SMALL, key=KEY, clock=lambda: START_NS)
    for n in range(1_000):
        other.result(AuthResult(source=f"10.0.{n >> 8}.{n & 255}", username=f"u{n}", secret="x", outcome="failed"))
    snapshot, subject = other.snapshot(), guard(1)
    answered, taken, merging = [0], [b""], threading.Event()

    def try_on() -> None:
        merging.wait(JOIN_S)
        while not taken[0]:
            ask(subject, 0)
            answered[0] += 1

    def take() -> None:
        merging.wait(JOIN_S)
        taken[0] = subject.snapshot()

    threads = [threading.Thread(target=work, daemon=True) for work in (try_on, take)]
    for thread in threads:
        thread.start()
    merging.set()
    subject.merge(snapshot)
    for thread in threads:
        thread.join(JOIN_S)
    assert answered[0] > 0
    assert taken[0]
    restored = guard()
    restored.restore(taken[0])
    rows = restored.statistics()["rows_source"]
    assert rows in (1, 1_001)  # before the merge or after it, nothing between
