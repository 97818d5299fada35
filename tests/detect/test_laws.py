"""The laws of the house that a detector is under, over random traffic."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lapwing.detect import Detector, DetectSettings
from lapwing.events import AuthEvidence, AuthResolved, Event, Finding, Outcome

START_NS = 1_767_600_000_000_000_000
OUTCOMES = [Outcome.FAILED, Outcome.FAILED, Outcome.SUCCEEDED, Outcome.LOCKED, Outcome.UNKNOWN]
calm = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def a_login(draw: st.DrawFn) -> tuple[int, AuthResolved]:
    """A login from a small world, so that the same things meet again, and the seconds since the one before."""
    gap_s = draw(st.sampled_from([0, 0, 1, 5, 60, 1_200, 7_200]))
    source = draw(st.integers(0, 12))
    return gap_s, AuthResolved(
        ts_ns=0,
        protocol=draw(st.sampled_from(["http", "ssh"])),
        mechanism="form",
        endpoint="POST /login",
        client_ip=f"2001:db8:0:{source}::1" if source > 9 else f"192.0.2.{source}",
        username=draw(st.one_of(st.none(), st.integers(0, 9).map("user{}".format))),
        secret_tag=draw(st.one_of(st.none(), st.integers(0, 12).map(str))),
        fingerprint=draw(st.sampled_from([None, "tool", "browser"])),
        outcome=draw(st.sampled_from(OUTCOMES)),
        evidence=AuthEvidence.SERVER_REPLY,
        confidence=draw(st.sampled_from([1.0, 0.7])),
        attempt_count=draw(st.sampled_from([1, 1, 1, 4])),
    )


logins = st.lists(a_login(), min_size=1, max_size=80)


def timed(drawn: list[tuple[int, AuthResolved]]) -> list[AuthResolved]:
    """Give the drawn logins their times and numbers."""
    now_ns, out = START_NS, []
    for seq, (gap_s, login) in enumerate(drawn, 1):
        now_ns += gap_s * 10**9
        fields = {name: getattr(login, name) for name in login.__struct_fields__}
        out.append(AuthResolved(**{**fields, "ts_ns": now_ns, "seq": seq}))
    return out


def tell(detector: Detector, events: list[AuthResolved]) -> list[Event]:
    return [told for event in events for told in detector.observe(event)]


@calm
@given(logins)
def test_the_same_logins_give_the_same_findings(drawn: list[tuple[int, AuthResolved]]) -> None:
    events = timed(drawn)
    one, two = Detector(), Detector()
    assert tell(one, events) == tell(two, events)
    assert one.finish(events[-1].ts_ns) == two.finish(events[-1].ts_ns)


@calm
@given(logins)
def test_the_key_changes_nothing_that_is_told(drawn: list[tuple[int, AuthResolved]]) -> None:
    events = timed(drawn)
    assert tell(Detector(), events) == tell(Detector(key=b"another key, as long"), events)


@calm
@given(logins, st.data())
def test_snapshot_and_restore_anywhere_change_nothing(
    drawn: list[tuple[int, AuthResolved]], data: st.DataObject
) -> None:
    events = timed(drawn)
    cut = data.draw(st.integers(0, len(events)))
    straight, before, after = Detector(), Detector(), Detector()
    told = tell(before, events[:cut])
    after.restore(before.snapshot())
    assert told + tell(after, events[cut:]) == tell(straight, events)
    assert after.finish(events[-1].ts_ns) == straight.finish(events[-1].ts_ns)
    assert after.statistics() == straight.statistics()


@calm
@given(logins, a_login(), st.data())
def test_one_more_failed_login_never_lowers_the_risk_of_the_next(
    drawn: list[tuple[int, AuthResolved]], extra: tuple[int, AuthResolved], data: st.DataObject
) -> None:
    events = timed(drawn)
    at = data.draw(st.integers(0, len(events) - 1))
    fields = {name: getattr(extra[1], name) for name in extra[1].__struct_fields__}
    failure = AuthResolved(**{**fields, "ts_ns": events[at].ts_ns, "seq": 999, "outcome": Outcome.FAILED})
    without, more = Detector(), Detector()
    tell(without, events)
    tell(more, [*events[:at], failure, *events[at:]])
    assert more.verdict.risk >= without.verdict.risk - 1e-9


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**64), st.integers(1_100, 4_000))
def test_no_table_exceeds_its_limit_under_a_flood_of_new_sources(seed: int, count: int) -> None:
    numbers = random.Random(seed).sample(range(2**32), count)
    detector = Detector(DetectSettings(max_sources=1_024))
    for n, number in enumerate(numbers):
        text = ".".join(str(b) for b in number.to_bytes(4, "big"))
        detector.observe(_failure(START_NS + n, text, f"user{number}", str(n)))
    rows = {name: rows for name, rows in detector.statistics().items() if name.startswith("rows_")}
    assert rows.pop("rows_pair") <= 4 * 1_024
    assert max(rows.values()) <= 1_024
    assert rows["rows_source"] == 1_024
    assert detector.statistics()["evicted_source"] == count - 1_024


def test_a_flood_does_not_make_an_attacker_forgotten() -> None:
    detector = Detector(DetectSettings(max_sources=1_024))
    told: list[Event] = []
    for n in range(10):
        told += detector.observe(_failure(START_NS + n * 10**12, "198.51.100.1", f"victim{n}", f"leak {n}"))
        for k in range(600):
            source = f"10.{n}.{k // 250}.{k % 250}"
            told += detector.observe(_failure(START_NS + n * 10**12 + k, source, f"u{n} {k}", f"l{n} {k}"))
    subjects = {f.subject for f in told if isinstance(f, Finding)}
    assert "198.51.100.1" in subjects


def _failure(ts_ns: int, source: str, account: str, tag: str) -> AuthResolved:
    return AuthResolved(
        ts_ns=ts_ns,
        protocol="http",
        mechanism="form",
        endpoint="POST /login",
        client_ip=source,
        username=account,
        secret_tag=tag,
        outcome=Outcome.FAILED,
        evidence=AuthEvidence.SERVER_REPLY,
        confidence=1.0,
    )
