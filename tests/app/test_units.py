"""Quantities are read and written as people do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.app.units import NS_PER_S, duration_ns, field_value, plural, say_bytes, say_duration, say_time, size_bytes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10m", 600), ("24h", 86_400), ("7d", 604_800), ("1h30m", 5400), ("300ms", 0.3), ("1.5s", 1.5)],
)
def test_durations_carry_their_unit(text: str, seconds: float) -> None:
    assert duration_ns(text) == seconds * NS_PER_S


@pytest.mark.parametrize("text", ["", "10", "m", "10 parsecs", "10m!", "-3s", "ten"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="for example"):
        duration_ns(text)


@pytest.mark.parametrize(
    ("text", "size"), [("64MiB", 64 * 1024**2), ("1kB", 1000), ("1.5GB", 1_500_000_000), ("7B", 7)]
)
def test_sizes_tell_binary_from_decimal(text: str, size: int) -> None:
    assert size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "64", "64Mi", "64 megs", "-1B"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="for example"):
        size_bytes(text)


def test_a_field_takes_the_unit_its_name_ends_in() -> None:
    assert field_value("idle_timeout_s", "10m") == 600
    assert field_value("grace_s", "10ms") == 0.01
    assert field_value("grace_ms", "2s") == 2000
    assert field_value("memcap_bytes", "64KiB") == 65_536
    with pytest.raises(ValueError, match="no number"):
        field_value("max_flows", "10m")


@given(st.integers(0, 10**19))
def test_any_duration_and_any_size_can_be_said(number: int) -> None:
    assert say_duration(number)
    assert say_bytes(number)


def test_numbers_read_well() -> None:
    assert say_duration(3 * 3600 * NS_PER_S + 20 * 60 * NS_PER_S) == "3 h 20 min"
    assert say_duration(40 * 60 * NS_PER_S) == "40 min"
    assert say_bytes(4_500_000) == "4.5 MB"
    assert say_time(0) == "1970-01-01 00:00:00Z"
    assert (plural(1, "login"), plural(1234, "login")) == ("1 login", "1,234 logins")
