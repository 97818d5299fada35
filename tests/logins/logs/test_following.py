"""Settings that change while a log is read: from the next line on they hold, and what was learnt of the log stays."""

import gc
from zoneinfo import ZoneInfo

import pytest

from lapwing.events import Outcome
from lapwing.logins import LoginSettings
from lapwing.logins.logs import LogLines, LogSettings

from .reading import context, log
from .samples import SAMPLES

ENTER = LoginSettings(endpoints=("POST /enter", "POST /api/enter"))
OWN = "lapwing"  # says itself what a login is
WEB = [(name, lines[0]) for name, lines, _ in SAMPLES if "POST" in lines[0] and "/login" in lines[0] and name != OWN]
PROXY, CLIENT = "127.0.0.1", "192.0.2.7"


def change(lines: LogLines, logins: LoginSettings | None = None, logs: LogSettings | None = None) -> None:
    clock = lines.context.clock
    lines.context.change(logins or LoginSettings(), logs or LogSettings(), clock.zone)


def line(path: str, status: int, second: int = 0) -> str:
    stamp = f"[01/May/2026:10:00:{second:02d} +0000]"
    return f'{PROXY} - - {stamp} "POST {path} HTTP/1.1" {status} 12 "-" "curl/8" "{CLIENT}"'


@pytest.mark.parametrize(("name", "sample"), WEB, ids=[name for name, _ in WEB])
def test_other_surfaces_count_from_the_next_line_on_in_every_format(name: str, sample: str) -> None:
    subject, other = log(name), sample.replace("/login", "/enter")
    assert [len(subject.feed([one])) for one in (sample, other)] == [1, 0]
    change(subject, ENTER)
    assert [len(subject.feed([one])) for one in (sample, other)] == [0, 1]
    change(subject)
    assert [len(subject.feed([one])) for one in (sample, other)] == [1, 0]


def test_what_a_surface_answered_before_goes_on_to_be_known() -> None:
    subject = log("combined")
    assert [event.outcome for event in subject.feed([line("/login", 200), line("/login", 401)])] == [
        Outcome.UNKNOWN,
        Outcome.FAILED,
    ]
    change(subject, logs=LogSettings(trusted_proxies=("127.0.0.1/32",)))
    (event,) = subject.feed([line("/login", 200)])
    assert (event.outcome, event.client_ip) == (Outcome.SUCCEEDED, CLIENT)


def test_what_a_status_means_and_who_is_believed_changes() -> None:
    subject = log("combined")
    told = subject.feed([line("/login", 200)])
    change(subject, logs=LogSettings(trusted_proxies=("127.0.0.1/32",), outcomes=("POST /login 200 failed",)))
    told += subject.feed([line("/login", 200)])
    assert [(event.outcome, event.client_ip) for event in told] == [(Outcome.UNKNOWN, PROXY), (Outcome.FAILED, CLIENT)]


def test_names_that_were_met_before_are_folded_anew() -> None:
    subject = log("syslog")
    failed = "May  1 10:00:00 host sshd[7]: Failed password for a.b+c@example.com from 192.0.2.7 port 5000 ssh2"
    names = [event.username for event in subject.feed([failed])]
    change(subject, LoginSettings(fold_username_dots=True, drop_username_tag=True))
    names += [event.username for event in subject.feed([failed])]
    assert names == ["a.b+c@example.com", "ab@example.com"]


def test_times_without_a_zone_are_of_the_new_one_within_the_same_minute_too() -> None:
    subject = log("syslog")
    failed = "May  1 10:00:0{} host sshd[7]: Failed password for root from 192.0.2.7 port 5000 ssh2"
    times = [event.ts_ns for event in subject.feed([failed.format(1)])]
    subject.context.change(LoginSettings(), LogSettings(), ZoneInfo("Europe/Vienna"))
    times += [event.ts_ns for event in subject.feed([failed.format(1)])]
    assert times[0] - times[1] == 2 * 3_600 * 10**9


def test_a_reader_that_is_gone_is_not_kept_for_changes() -> None:
    made = context()
    for _ in range(3):
        LogLines(made).feed([line("/login", 401)])
        lines = LogLines(made)
        lines.feed([line("/login", 401)])
        lines.settle()
    del lines
    gc.collect()
    assert len(made.followers) == 0
