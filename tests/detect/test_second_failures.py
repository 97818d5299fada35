"""Two plain failures of a source or network are two entries of the journal, and nothing but memory tells it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.detect import Detector, DetectSettings
from lapwing.detect.decay import DAY_NS, HOUR_NS, SECOND_NS
from lapwing.detect.settings import GroupSettings, SourceSettings
from lapwing.events import AuthEvidence, AuthResolved, Outcome

START_NS = 1_700_000_000 * SECOND_NS
ADDRESSES = ("192.0.2.1", "192.0.2.2", "198.51.100.7", "2001:db8::1", "2001:db8:0:1::1")

step = st.tuples(
    st.sampled_from([1_000, SECOND_NS, 40 * SECOND_NS, HOUR_NS, 30 * HOUR_NS, 4 * DAY_NS]),
    st.sampled_from(ADDRESSES),
    st.integers(0, 3),  # account
    st.integers(0, 4),  # secret
    st.integers(0, 1),  # client
    st.sampled_from([Outcome.FAILED, Outcome.FAILED, Outcome.FAILED, Outcome.SUCCEEDED]),
    st.sampled_from([1, 1, 1, 3]),  # tries
)


def logins(steps: list[Any]) -> Iterator[AuthResolved]:
    """Logins of these steps, one after the other."""
    at_ns = START_NS
    for seq, (gap_ns, address, account, secret, client, outcome, tries) in enumerate(steps):
        at_ns += gap_ns
        yield AuthResolved(
            ts_ns=at_ns,
            seq=seq,
            protocol="http",
            mechanism="form",
            endpoint="POST /login",
            client_ip=address,
            username=f"user{account}",
            secret_tag=f"{secret}",
            fingerprint=f"ja4:{client}",
            outcome=outcome,
            evidence=AuthEvidence.APPLICATION,
            confidence=1.0,
            attempt_count=tries,
        )


def trackers(subject: Detector) -> dict[str, Any]:
    """Its trackers by name."""
    return {tracker.name: tracker for tracker in subject._every}


def with_records_at_once(settings: DetectSettings | None = None) -> Detector:
    """A detector that makes a record of a second failure."""
    subject = Detector(settings)
    for tracker in subject._every:
        tracker.quiet_second = False
    return subject


def kindled(subject: Detector) -> bytes:
    """Its state when all sparks of sources and networks have become records."""
    for name in ("source", "network"):
        tracker = trackers(subject)[name]
        table, journal = tracker.table, tracker.table.journal
        tracker.kindle_each([slot for slot in range(journal.used()) if journal.has_spark(slot, table.number)])
    return subject.snapshot()


def rows(subject: Detector, name: str) -> dict[int, tuple[Any, ...]]:
    """What the records of a tracker hold, by key."""
    kindled(subject)
    tracker = trackers(subject)[name]
    return {key: tuple(map(repr, (getattr(row, f) for f in tracker.fields()))) for key, row in tracker.table.items()}


@given(st.lists(step, max_size=40))
def test_records_made_later_hold_what_they_would_have_held(steps: list[Any]) -> None:
    subject, other = Detector(), with_records_at_once()
    for login in logins(steps):
        assert list(subject.observe(login)) == list(other.observe(login))
        assert subject.verdict == other.verdict
        assert subject.log_odds == other.log_odds
    for name in ("source", "network"):
        assert rows(subject, name) == rows(other, name)


def failures(*addresses: str) -> list[Any]:
    """A failure a second, each at another account with another secret."""
    return [(SECOND_NS, address, n, n, 0, Outcome.FAILED, 1) for n, address in enumerate(addresses)]


def kept(subject: Detector, name: str) -> tuple[int, int]:
    """How many sparks and how many rows a tracker has."""
    table = trackers(subject)[name].table
    return table.sparks, len(table) - table.sparks


def observed(subject: Detector, steps: list[Any]) -> Detector:
    for login in logins(steps):
        list(subject.observe(login))
    return subject


def test_a_record_begins_with_the_third_failure() -> None:
    three = failures("192.0.2.1", "192.0.2.1", "192.0.2.1")
    for count, expected in ((1, (1, 0)), (2, (1, 0)), (3, (0, 1))):
        subject = observed(Detector(), three[:count])
        assert kept(subject, "source") == kept(subject, "network") == expected
        assert subject.look("source", "192.0.2.1")["tries_d"] == pytest.approx(count, rel=1e-4)


def test_neighbours_share_what_two_failures_leave_of_their_network() -> None:
    subject = observed(Detector(), failures("192.0.2.1", "192.0.2.2"))
    assert kept(subject, "source") == (2, 0)
    assert kept(subject, "network") == (1, 0)
    observed(subject, [(SECOND_NS, "192.0.2.3", 3, 3, 0, Outcome.FAILED, 1)])
    assert kept(subject, "network") == (0, 1)
    (row,) = (row for _, row in trackers(subject)["network"].table.items())
    assert list(row.seen) == [3, 3]


@pytest.mark.parametrize(
    "settings",
    [
        DetectSettings(source=SourceSettings(free_accounts=(1.5, 2.5, 3.0, 4.0))),
        DetectSettings(source=SourceSettings(free_hours=1.0)),
        DetectSettings(network=GroupSettings(free_sources=1.0), source=SourceSettings(free_week_accounts=1.0)),
    ],
)
def test_where_two_failures_say_something_the_second_makes_a_record(settings: DetectSettings) -> None:
    subject = observed(Detector(settings), failures("192.0.2.1", "192.0.2.1"))
    assert kept(subject, "source") == (0, 1)
    assert kept(subject, "network") == ((0, 1) if settings.network.free_sources < 2.0 else (1, 0))


def test_of_a_first_failure_that_the_journal_forgot_only_the_second_is_left() -> None:
    entries = 4 * 1_024
    others = ["198.51.100.7"] * (entries - 2)
    steps = failures("192.0.2.1", *others, "192.0.2.1", "198.51.100.7")
    subject = observed(Detector(DetectSettings(max_sources=1_024)), steps[:-1])
    assert trackers(subject)["source"].table.journal.used() == entries
    assert kept(subject, "source") == (1, 1)
    assert subject.look("source", "192.0.2.1")["tries_d"] == pytest.approx(2.0, rel=0.1)
    subject = observed(Detector(DetectSettings(max_sources=1_024)), steps)
    assert kept(subject, "source") == (1, 1)
    assert subject.look("source", "192.0.2.1")["tries_d"] == pytest.approx(1.0, rel=0.1)


def test_a_snapshot_has_both_failures() -> None:
    subject = observed(Detector(), failures("192.0.2.1", "192.0.2.1", "198.51.100.7"))
    other = Detector()
    other.restore(subject.snapshot())
    third = [(SECOND_NS, "192.0.2.1", 3, 4, 0, Outcome.FAILED, 1)]
    assert observed(other, third).look("source", "192.0.2.1") == observed(subject, third).look("source", "192.0.2.1")
    assert kindled(other) == kindled(subject)
