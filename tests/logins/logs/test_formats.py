"""Every kind of log is recognised by its lines, and its logins are read."""

import json

import pytest

from lapwing.events import AuthEvidence
from lapwing.logins.logs import LOG_FORMATS, SAMPLE_LINES, Miss, recognise

from .reading import log, logins, miss, told
from .samples import SAMPLES

IDS = [f"{name}-{number}" for number, (name, _, _) in enumerate(SAMPLES)]
every_sample = pytest.mark.parametrize(("name", "lines", "expected"), SAMPLES, ids=IDS)


@every_sample
def test_logins_are_read(name: str, lines: list[str], expected: list[str]) -> None:
    assert [told(event) for event in logins(name, *lines)] == expected


@every_sample
def test_the_format_is_told_by_the_lines_alone(name: str, lines: list[str], expected: list[str]) -> None:
    found = recognise(lines)
    assert found is not None
    assert found.name == name


@every_sample
def test_a_line_by_itself_reads_as_among_others(name: str, lines: list[str], expected: list[str]) -> None:
    whole, one_by_one = log(name), log(name)
    together = [*whole.feed(lines), *whole.close()]
    single = [event for line in lines for event in one_by_one.feed([line])]
    assert together == [*single, *one_by_one.close()]


@every_sample
def test_logins_say_that_a_log_told_them(name: str, lines: list[str], expected: list[str]) -> None:
    for event in logins(name, *lines):
        assert event.evidence is AuthEvidence.LOG or name == "lapwing"
        assert event.flow_id is None
        assert 1777500000 * 10**9 < event.ts_ns < 1777700000 * 10**9  # the first days of May 2026


def test_every_format_has_a_sample() -> None:
    assert {name for name, _, _ in SAMPLES} == {one.name for one in LOG_FORMATS}


def test_names_of_formats_are_unique() -> None:
    assert len({one.name for one in LOG_FORMATS}) == len(LOG_FORMATS)


@pytest.mark.parametrize("log_format", LOG_FORMATS, ids=lambda one: one.name)
def test_lines_of_nothing_are_foreign_to_every_format(log_format: object) -> None:
    for line in ("lorem ipsum dolor sit amet", "{", '{"a": 1', "[]", "Failed password for root from 192.0.2.7"):
        assert miss(log_format, line) is Miss.FOREIGN  # type: ignore[arg-type]


def test_a_log_of_no_known_kind_is_not_guessed_at() -> None:
    lines = ["alpha beta 192.0.2.7 failed", "gamma"] * 5
    reader = log(None)
    assert reader.feed(lines) == []
    assert reader.close() == []
    assert reader.log_format is None
    assert reader.misses == {Miss.FOREIGN: 10}


def test_a_password_in_a_log_becomes_a_tag() -> None:
    for name, lines, _ in SAMPLES:
        if name == "eve":
            ftp = logins(name, *lines)[0]
            assert ftp.secret_tag is not None
            assert "horse" not in repr(ftp)


def test_a_log_whose_first_line_told_wrong_is_looked_at_again() -> None:
    syslog, combined = SAMPLES[0][1], '192.0.2.7 - - [01/May/2026:10:00:00 +0000] "POST /login HTTP/1.1" 401 12'
    reader = log(None)
    reader.feed(syslog)
    assert len(reader.settle()) == len(SAMPLES[0][2])
    found = [event for _ in range(SAMPLE_LINES * 3) for event in reader.feed([combined])]
    assert reader.log_format is not None
    assert reader.log_format.name == "combined"
    assert found


def test_a_log_may_begin_with_more_foreign_lines_than_are_looked_at() -> None:
    reader = log(None)
    assert len(reader.feed(["a trace"] * (SAMPLE_LINES + 50) + SAMPLES[0][1]) + reader.close()) == len(SAMPLES[0][2])
    assert reader.misses[Miss.FOREIGN] == SAMPLE_LINES + 50


@pytest.mark.parametrize("ts_ns", [-1, 2**63, 2**200])
def test_a_time_that_nobody_lives_in_is_no_time(ts_ns: int) -> None:
    line = next(lines[0] for name, lines, _ in SAMPLES if name == "lapwing")
    assert miss("lapwing", json.dumps({**json.loads(line), "ts_ns": ts_ns})) is Miss.NO_TIME


def test_a_named_format_is_kept_whatever_comes() -> None:
    reader = log("syslog")
    reader.feed(["no such line"] * SAMPLE_LINES * 3)
    assert reader.log_format is not None
