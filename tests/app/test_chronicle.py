"""Events that a guard told lately: the same, whether they are kept as objects or as numbers."""

from collections import deque

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lapwing.app.chronicle import Chronicle
from lapwing.detect import Detector
from lapwing.detect.decisions import Decisions
from lapwing.detect.evidence import MOST_KINDS, NAMES, Evidence
from lapwing.detect.login import Keyring
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import DetectSettings
from lapwing.detect.verdict import Judge
from lapwing.events import DecisionLifted, DecisionMade, Event
from lapwing.testing.logins import START_NS

KEY = bytes(range(16))
HOUR_NS = 3_600_000_000_000
SMALL = 7
"""Events kept, so that many are lost."""
LO = 0xFFFF_C000_0201
HI = 0x2001_0DB8_0000_0000
JUDGE = Judge(DetectSettings())


def said(kinds: int, *, known: bool = False, beside: tuple[Reason, ...] = ()) -> Evidence:
    """Reasons of these kinds."""
    evidence = Evidence()
    for kind in range(MOST_KINDS):
        if kinds >> kind & 1:
            evidence.put(kind, kind + 1 / 3, kind / 7, 0.5)
    evidence.known = known
    evidence.beside = beside
    return evidence


def decide(decisions: Decisions, hi: int, lo: int, now_ns: int) -> None:
    source = Keyring(KEY).source_of(hi, lo)
    decisions.answer_at(decisions.row_at(source, hi, lo), 20.0, source, hi, lo, now_ns, False)


REASON = Reason("leaked-secret", 1.0, 0.0, 2.0)
EVIDENCE = st.one_of(
    st.builds(said, st.integers(0, (1 << MOST_KINDS) - 1)),
    st.builds(said, st.sampled_from([0, 1, 3, 1 << 18 | 5])),
    st.builds(said, st.integers(0, 7), known=st.just(True)),
    st.builds(said, st.integers(0, 7), beside=st.just((REASON,))),
)
STEP = st.tuples(st.sampled_from(["decide", "decide", "decide", "event"]), st.integers(0, 3), EVIDENCE)


@given(st.lists(STEP, max_size=40), st.integers(-1, 50))
def test_what_is_kept_as_numbers_is_told_as_it_would_have_been_at_once(
    steps: list[tuple[str, int, Evidence]], after: int
) -> None:
    chronicle, decisions = Chronicle(SMALL), Detector().decisions(64, KEY)
    told: deque[Event] = deque(maxlen=SMALL)
    seq, now_ns = 0, START_NS
    for what, which, evidence in steps:
        now_ns += HOUR_NS
        if what == "event":
            seq += 1
            other = DecisionLifted(ts_ns=now_ns, decision_id=f"{which}", reason="one of another kind", seq=seq)
            chronicle.keep(seq, other)
            told.append(other)
            continue
        decide(decisions, *((HI | which, 0) if which % 2 else (0, LO + which)), now_ns)
        before = seq
        seq = chronicle.keep_changes(seq, decisions, evidence)
        assert decisions.changed == (seq > before)
        for number, event in enumerate(decisions.told(JUDGE.verdict(evidence, 20.0, 4, 300)), before + 1):
            told.append(msgspec.structs.replace(event, seq=number))
    assert chronicle.since(after) == [event for event in told if event.seq > after]


def test_every_reason_of_an_answer_is_told_however_many_there_are() -> None:
    for count in range(MOST_KINDS + 1):
        chronicle, decisions = Chronicle(SMALL), Detector().decisions(64, KEY)
        decide(decisions, 0, LO, START_NS)
        chronicle.keep_changes(0, decisions, said((1 << count) - 1))
        (made,) = chronicle.since(0)
        assert isinstance(made, DecisionMade)
        assert [said.partition("=")[0] for said in made.reasons] == list(NAMES[:count])


def test_what_is_no_number_of_a_kind_is_told_too() -> None:
    for evidence in (said(5, known=True), said(5, beside=(REASON,)), said(5, known=True, beside=(REASON,))):
        chronicle, decisions = Chronicle(SMALL), Detector().decisions(64, KEY)
        decide(decisions, 0, LO, START_NS)
        chronicle.keep_changes(0, decisions, evidence)
        (made,) = decisions.told(JUDGE.verdict(evidence, 20.0, 4, 300))
        assert chronicle.since(0) == [msgspec.structs.replace(made, seq=1)]
