"""What detection copies and remembers says the same, and what a snapshot says is checked."""

import msgspec
import pytest

from lapwing.detect import Detector, plainly
from lapwing.detect.decay import DAY_NS, SECOND_NS
from lapwing.detect.detector import FILE_KEY
from lapwing.detect.login import SEAL_BYTES, Keyring
from lapwing.detect.parts import sealed
from lapwing.detect.rows import Fading, Tally
from lapwing.testing.logins import stuffing_distributed


def test_a_copy_of_a_record_shares_nothing_with_its_pattern() -> None:
    pattern = Tally(7)
    copy = plainly.like(pattern)
    copy.good = 2.0
    assert (copy.at_ns, pattern.good) == (7, 0.0)


def test_what_is_left_of_a_count_does_not_depend_on_the_ages_asked_for_before() -> None:
    ages = [n * 7_919 * SECOND_NS // 13 for n in range(1, 400)]
    much_asked = Fading()
    for _ in range(2):
        for age in ages:
            much_asked.set(age)
            once_asked = Fading()
            once_asked.set(age)
            assert (much_asked.m, much_asked.h, much_asked.q, much_asked.d) == (
                once_asked.m,
                once_asked.h,
                once_asked.q,
                once_asked.d,
            )


def test_the_site_begins_anew_after_weeks_of_silence_and_goes_on_from_a_snapshot() -> None:
    events = stuffing_distributed(7).events
    subject = Detector()
    for event in events[:40]:
        subject.observe(event)
    weeks_later = events[40].ts_ns + 60 * DAY_NS
    subject.observe(msgspec.structs.replace(events[40], ts_ns=weeks_later, client_ip="nowhere"))
    gone = subject.statistics()
    assert (gone["rows_site"], gone["rows_strays"]) == (0, 0)
    late = [msgspec.structs.replace(event, ts_ns=event.ts_ns + 60 * DAY_NS) for event in events[41:80]]
    elsewhere = Detector()
    for event in events[:20]:
        elsewhere.observe(event)
    elsewhere.restore(subject.snapshot())
    for event in late:
        subject.observe(event)
        elsewhere.observe(event)
    back = subject.statistics()
    assert (back["rows_site"], back["rows_strays"]) == (1, 1)
    assert elsewhere.snapshot() == subject.snapshot()


def test_a_record_that_was_held_once_stays_so() -> None:
    subject = Detector()
    events = stuffing_distributed(7).events
    for event in events:
        subject.observe(event)
    other = Detector()
    other.restore(subject.snapshot())
    for event in events:
        later = msgspec.structs.replace(event, ts_ns=event.ts_ns + DAY_NS)
        subject.observe(later)
        other.observe(later)
    assert other.snapshot() == subject.snapshot()
    held = [tracker.table.holds(key) for tracker in subject._every for key, _ in tracker.table.items()]
    assert any(held)
    assert not all(held)


def test_a_snapshot_with_records_of_logins_it_does_not_have_is_refused() -> None:
    subject = Detector()
    for event in stuffing_distributed(7).events[:40]:
        subject.observe(event)
    state = msgspec.msgpack.decode(subject.snapshot()[:-SEAL_BYTES])
    for slot in (10_000_000, -1):
        state["trackers"]["source"][1] = [slot]
        with pytest.raises(ValueError, match="its journal does not have"):
            Detector().restore(b"".join(sealed([msgspec.msgpack.encode(state)], Keyring(FILE_KEY).state_seal())))
