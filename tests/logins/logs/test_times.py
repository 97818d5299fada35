"""Timestamps: what they say is kept to the nanosecond, what they leave out is supplied and told."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.logins.logs import Clock

VIENNA = ZoneInfo("Europe/Vienna")


def ns(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 10**9  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-01T10:00:00Z", ns(2026, 5, 1, 10)),
        ("2026-05-01T10:00:00.5+02:00", ns(2026, 5, 1, 8) + 500_000_000),
        ("2026-05-01 10:00:00,250", ns(2026, 5, 1, 10) + 250_000_000),
        ("2026/05/01 10:00:00", ns(2026, 5, 1, 10)),
        ("2026-05-01 10:00:00.110 +02:00", ns(2026, 5, 1, 8) + 110_000_000),
        ("01/May/2026:10:00:00 +0200", ns(2026, 5, 1, 8)),
        ("01/May/2026:10:00:00.655", ns(2026, 5, 1, 10) + 655_000_000),
        ("Fri May  1 10:00:00 2026", ns(2026, 5, 1, 10)),
        ("Fri May 01 10:00:00.25 2026", ns(2026, 5, 1, 10) + 250_000_000),
        ("1777629600", ns(2026, 5, 1, 10)),
        ("1777629600.123456789", ns(2026, 5, 1, 10) + 123_456_789),
        (1777629600123, ns(2026, 5, 1, 10) + 123_000_000),
        (1777629600123456, ns(2026, 5, 1, 10) + 123_456_000),
        (1777629600123456789, ns(2026, 5, 1, 10) + 123_456_789),
        ("31/Dec/2199:23:59:59 +0000", ns(2199, 12, 31, 23, 59, 59)),
        ("01/Jan/2200:00:00:00 +0000", None),
        ("2300-01-01T00:00:00Z", None),
        ("7258118400", None),
        ("yesterday", None),
        ("99/May/2026:10:00:00 +0000", None),
        ("2026-13-01T10:00:00Z", None),
        (True, None),
        ([], None),
        ("", None),
    ],
)
def test_times_of_all_kinds_are_read(text: object, expected: int | None) -> None:
    assert Clock().any(text) == expected


def test_the_year_is_the_latest_that_is_not_in_the_future() -> None:
    clock = Clock(latest_ns=ns(2026, 1, 10))
    assert clock.syslog("Jan  9 10:00:00") == ns(2026, 1, 9, 10)
    assert clock.syslog("Dec 31 23:59:59") == ns(2025, 12, 31, 23, 59, 59)
    assert clock.year_assumed


def test_a_clock_somewhat_ahead_is_not_taken_for_last_year() -> None:
    assert Clock(latest_ns=ns(2026, 1, 10)).syslog("Jan 10 06:00:00") == ns(2026, 1, 10, 6)


def test_the_leap_day_falls_into_a_leap_year() -> None:
    assert Clock(latest_ns=ns(2026, 6, 1)).syslog("Feb 29 10:00:00") == ns(2024, 2, 29, 10)


def test_a_zone_is_supplied_only_where_none_is_written() -> None:
    clock = Clock(VIENNA, ns(2026, 6, 1))
    assert clock.clf("01/May/2026:10:00:00 +0000") == ns(2026, 5, 1, 10)
    assert not clock.zone_assumed
    assert clock.syslog("May  1 10:00:00") == ns(2026, 5, 1, 8)
    assert clock.zone_assumed


def test_daylight_saving_is_that_of_the_day() -> None:
    clock = Clock(VIENNA, ns(2026, 6, 1))
    assert clock.syslog("Jan  5 10:00:00") == ns(2026, 1, 5, 9)
    assert clock.syslog("May  5 10:00:00") == ns(2026, 5, 5, 8)


@given(st.lists(st.datetimes(datetime(2025, 7, 2), datetime(2026, 6, 29)), min_size=1, max_size=20))
def test_remembering_the_last_minute_changes_nothing(moments: list[datetime]) -> None:
    clock = Clock(UTC, ns(2026, 6, 30))
    for moment in moments:
        whole = moment.replace(microsecond=0, tzinfo=UTC)
        expected = int(whole.timestamp()) * 10**9
        assert clock.syslog(f"{whole:%b} {whole.day:2d} {whole:%H:%M:%S}") == expected
        assert clock.clf(f"{whole:%d/%b/%Y:%H:%M:%S} +0000") == expected


def test_digits_that_count_nothing_are_no_seconds() -> None:
    clock = Clock(latest_ns=ns(2026, 6, 1))
    assert clock.syslog("May  1 10:00:00") == ns(2026, 5, 1, 10)
    assert clock.syslog("May  1 10:00:²²") is None
    assert clock.clf("01/May/2026:10:00:00 +0000") == ns(2026, 5, 1, 10)
    assert clock.clf("01/May/2026:10:00:²² +0000") is None


def test_a_number_with_a_letter_in_it_is_no_time() -> None:
    assert Clock().any("1.78e9") == 1_780_000_000 * 10**9
    for text in ("1e", "17800e00e1", "1780000000 seconds", "1e999999999"):
        assert Clock().any(text) is None
        assert Clock().epoch(text) is None


@given(st.text(max_size=60) | st.text("0123456789e.+-: ", max_size=20) | st.integers() | st.floats() | st.none())
def test_any_value_is_a_time_or_none(value: object) -> None:
    found = Clock().any(value)
    assert found is None or found >= 0
