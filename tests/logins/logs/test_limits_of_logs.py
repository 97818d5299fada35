"""What is named as limits of logs holds at the number and not beside it."""

import json
from itertools import count

import pytest

from lapwing.events import Outcome, SettingsError
from lapwing.logins import LoginSettings
from lapwing.logins.logs import SAMPLE_LINES, Clock, Miss, parse_patterns
from lapwing.logins.logs.access import MAX_NAME_CHARS
from lapwing.logins.logs.context import (
    MAX_ADDRESS_CHARS,
    MAX_CACHED_NAMES,
    MAX_PORT,
    MAX_USER_AGENT_CHARS,
    LogContext,
    address,
    port,
)
from lapwing.logins.logs.dovecot import MAX_TRIES
from lapwing.logins.logs.joined import MAX_OBJECT_CHARS, Joiner
from lapwing.logins.logs.patterns import MAX_PATTERNS
from lapwing.logins.logs.sshd import MAX_WAITING, SshdMessages
from lapwing.logins.logs.suricata import MAX_FTP_USERS
from lapwing.logins.logs.syslog import MAX_REPEATS
from lapwing.logins.logs.templates import MAX_BLANKS, MAX_FIELDS, MAX_HOST_CHARS, MAX_TIME_CHARS, Found, Template
from lapwing.logins.logs.times import MAX_EPOCH_CHARS
from lapwing.logins.logs.web import MAX_SEEN_SUCCESSES, MAX_SURFACES, MAX_TARGETS, Request, WebLogins
from lapwing.logins.usernames import MAX_USERNAME_CHARS
from tests.logins.logs.reading import context, log, login, logins, miss

AT_AND_BESIDE = pytest.mark.parametrize("beyond", [0, 1])
HEAD = "May  1 10:00:00 host "
FAILED = f"{HEAD}sshd[7]: Failed password for root from 192.0.2.7 port 5000 ssh2"


@AT_AND_BESIDE
def test_a_line_of_dovecot_stands_for_so_many_tries(beyond: int) -> None:
    line = f"{HEAD}dovecot: imap-login: Disconnected (auth failed, {MAX_TRIES + beyond} attempts in 9 secs): "
    assert login("syslog", f"{line}user=<bob>, method=PLAIN, rip=192.0.2.7").attempt_count == MAX_TRIES


@AT_AND_BESIDE
def test_a_message_is_repeated_so_often(beyond: int) -> None:
    times = MAX_REPEATS + beyond
    repeated = f"{HEAD}sshd[7]: message repeated {times} times: [ {FAILED.partition(': ')[2]}]"
    assert login("syslog", repeated).attempt_count == MAX_REPEATS
    last = f"{HEAD}last message repeated {times} times"
    assert [event.attempt_count for event in logins("syslog", FAILED, last)] == [1, MAX_REPEATS]


@AT_AND_BESIDE
def test_a_pattern_file_holds_so_many_patterns(beyond: int) -> None:
    text = "[[pattern]]\nname = 'shop'\noutcome = 'failed'\nline = '{time} x {address}'\n" * (MAX_PATTERNS + beyond)
    if beyond:
        with pytest.raises(SettingsError, match=f"holds {MAX_PATTERNS + 1} patterns, 1 to {MAX_PATTERNS} are right"):
            parse_patterns(text, "shop.toml")
    else:
        assert len(parse_patterns(text, "shop.toml")) == MAX_PATTERNS


def unknown_user(pid: int, name: str = "eve") -> str:
    return f"{HEAD}sshd[{pid}]: Invalid user {name} from 192.0.2.7 port 5000"


@AT_AND_BESIDE
def test_so_many_unknown_users_of_sshd_wait_and_the_oldest_beyond_is_told_at_once(beyond: int) -> None:
    reader = log("syslog")
    told = reader.feed([unknown_user(pid, f"u{pid}") for pid in range(MAX_WAITING + beyond)])
    assert [(event.username, event.outcome) for event in told] == [("u0", Outcome.UNKNOWN)] * beyond
    assert len(reader.close()) == MAX_WAITING


def test_a_known_connection_of_sshd_pushes_nobody_else_out() -> None:
    reader = log("syslog")
    reader.feed([unknown_user(pid, f"u{pid}") for pid in range(MAX_WAITING)])
    assert [event.username for event in reader.feed([unknown_user(7, "again")])] == ["u7"]
    assert len(reader.close()) == MAX_WAITING


def test_of_an_unknown_user_of_sshd_no_more_waits_than_a_name_has() -> None:
    reader = SshdMessages(context())
    assert reader.read(0, "7", f"Invalid user {'n' * 60_000} from 192.0.2.7 port 5000") is Miss.OTHER
    assert [len(waiting.name) for waiting in reader._waiting.values()] == [MAX_USERNAME_CHARS]


def ftp(flow: int | None, command: str, data: str) -> str:
    told = {"command": command, "command_data": data, "completion_code": ["530"]}
    flow_id = {} if flow is None else {"flow_id": flow}
    return json.dumps(
        {"timestamp": "2026-05-01T10:00:00Z", "src_ip": "192.0.2.7", "event_type": "ftp", "ftp": told} | flow_id
    )


def names(*lines: str) -> list[str | None]:
    """The accounts of the logins in these lines of an EVE log."""
    return [event.username for event in logins("eve", *lines)]


@AT_AND_BESIDE
def test_so_many_users_of_ftp_wait_for_their_password_and_the_oldest_beyond_is_forgotten(beyond: int) -> None:
    users = [ftp(flow, "USER", f"u{flow}") for flow in range(MAX_FTP_USERS + beyond)]
    tried = [ftp(flow, "PASS", "x") for flow in (0, 1, MAX_FTP_USERS - 1 + beyond)]
    assert names(*users, *tried) == [None if beyond else "u0", "u1", f"u{MAX_FTP_USERS - 1 + beyond}"]


def test_who_says_again_who_they_are_pushes_nobody_out_and_is_the_latest() -> None:
    users = [ftp(flow, "USER", f"u{flow}") for flow in range(MAX_FTP_USERS)]
    again = [ftp(1, "USER", "other"), ftp(1, "USER", "again")]
    tried = [ftp(flow, "PASS", "x") for flow in range(3)]
    assert names(*users, *again, *tried) == ["u0", "again", "u2"]
    newcomers = [ftp(MAX_FTP_USERS + number, "USER", "new") for number in range(2)]
    assert names(*users, *again, *newcomers, *tried) == [None, "again", None]


def test_a_user_of_no_flow_lends_nobody_a_name() -> None:
    assert names(ftp(None, "USER", "ana"), ftp(None, "PASS", "x"), ftp(7, "PASS", "x")) == [None, None]


def request(name: str, path: str = "/x", status: int = 200) -> str:
    return f'192.0.2.7 - {name} [01/May/2026:10:00:00 +0000] "GET {path} HTTP/1.1" {status} 12'


@AT_AND_BESIDE
def test_so_many_accepted_names_of_an_access_log_repeat_without_being_new_logins(beyond: int) -> None:
    reader = log("combined")
    lines = [request(f"u{number}") for number in range(MAX_SEEN_SUCCESSES + beyond)]
    assert len(reader.feed(lines)) == len(lines)
    assert [event.username for event in reader.feed(lines[:1])] == ["u0"] * beyond


@AT_AND_BESIDE
def test_a_name_in_an_access_log_has_so_many_letters(beyond: int) -> None:
    line = request("n" * (MAX_NAME_CHARS + beyond), status=401)
    if beyond:
        assert miss("combined", line) is Miss.OTHER
    else:
        assert login("combined", line).username == "n" * MAX_NAME_CHARS


def test_long_names_do_not_make_a_log_look_like_another() -> None:
    reader = log(None)
    reader.feed([request("ana")] * SAMPLE_LINES)
    reader.feed([request("n" * 9_000, status=401)] * 2 * SAMPLE_LINES)
    assert reader.misses[Miss.FOREIGN] == 0
    assert [event.username for event in reader.feed([request("bob", status=401)])] == ["bob"]
    assert miss("combined", f'{"n " * 9_000}[] "GET / HTTP/1.1" 401 12') is Miss.FOREIGN


def web(settings: LoginSettings | None = None) -> WebLogins:
    made = context()
    return WebLogins(LogContext(settings or LoginSettings(), made.logs, made.clock, made.tagger, count(1).__next__))


def asked(target: str, status: int = 401, user: str = "") -> Request:
    return Request(0, "192.0.2.7", "POST", target, status, user)


@AT_AND_BESIDE
def test_surfaces_of_so_many_targets_are_remembered_and_then_all_anew(beyond: int) -> None:
    reader = web()
    for number in range(MAX_TARGETS + beyond):
        reader.read(asked(f"/p{number}"))
    assert len(reader._known) == (1 if beyond else MAX_TARGETS)


def test_what_is_remembered_of_requests_is_not_as_long_as_they_like() -> None:
    reader = web()
    for number in range(10):
        reader.read(asked("/login?" + "q" * 10_000 + str(number)))
        reader.read(asked("/" + "p" * 10_000 + str(number)))
        reader.read(Request(0, "192.0.2.7", "GET", "/", 200, "n" * 10_000 + str(number)))
    assert list(reader._known) == [("POST", "/login")]
    assert list(reader._accepted) == [("192.0.2.7", "n" * MAX_USERNAME_CHARS)]


@AT_AND_BESIDE
def test_answers_of_so_many_surfaces_are_remembered(beyond: int) -> None:
    paths = [f"/in{number}" for number in range(MAX_SURFACES + beyond)]
    reader = web(LoginSettings(endpoints=tuple(f"POST {path}" for path in paths)))
    for path in paths:
        reader.read(asked(path))
    found = reader.read(asked(paths[-1], 200))
    assert not isinstance(found, Miss)
    assert found.outcome is (Outcome.UNKNOWN if beyond else Outcome.SUCCEEDED)


@AT_AND_BESIDE
def test_spellings_of_so_many_names_are_remembered_and_then_all_anew(beyond: int) -> None:
    made = context()
    for number in range(MAX_CACHED_NAMES + beyond):
        assert made.name(f"U{number}") == f"u{number}"
    assert len(made._names) == (1 if beyond else MAX_CACHED_NAMES)


def test_a_name_is_remembered_no_longer_than_it_is_read() -> None:
    made = context()
    for number in range(10):
        assert made.name("N" * 10_000 + str(number)) == "n" * MAX_USERNAME_CHARS
    assert list(made._names) == ["N" * MAX_USERNAME_CHARS]


@AT_AND_BESIDE
def test_an_address_with_its_zone_has_so_many_letters(beyond: int) -> None:
    assert address("fe80::1%".ljust(MAX_ADDRESS_CHARS + beyond, "z")) == (None if beyond else "fe80::1")


@AT_AND_BESIDE
def test_ports_end_at_the_last_one(beyond: int) -> None:
    assert port(str(MAX_PORT + beyond)) == (None if beyond else MAX_PORT)


@AT_AND_BESIDE
def test_the_name_of_a_browser_in_a_log_has_so_many_letters(beyond: int) -> None:
    agent = "b" * (MAX_USER_AGENT_CHARS + beyond)
    found = login("combined", f'{request("ana", status=401)} "-" "{agent}"')
    assert found.user_agent == agent[:MAX_USER_AGENT_CHARS]


@AT_AND_BESIDE
def test_an_object_over_several_lines_has_so_many_letters(beyond: int) -> None:
    joiner = Joiner()
    field = '"x": ""'
    inside = f'"x": "{"y" * (MAX_OBJECT_CHARS - len("{") - len(field) + beyond)}"'
    assert len(joiner.feed(["{", inside, "}"])) == 1 - beyond
    assert joiner.feed(["{", '"a": 1', "}"]) == ['{ "a": 1 }']


@AT_AND_BESIDE
def test_so_many_lines_are_kept_until_they_tell_what_a_log_is(beyond: int) -> None:
    found = log(None).feed([FAILED] * (SAMPLE_LINES - 1 + beyond))
    assert len(found) == beyond * SAMPLE_LINES


@AT_AND_BESIDE
def test_a_number_of_seconds_has_so_many_digits(beyond: int) -> None:
    found = Clock().any("1777629600.".ljust(MAX_EPOCH_CHARS + beyond, "5"))
    assert found == (None if beyond else 1_777_629_600_555_555_555)


@pytest.mark.parametrize("length", range(12, MAX_EPOCH_CHARS + 2))
def test_a_letter_makes_a_number_no_time_wherever_it_stands(length: int) -> None:
    assert Clock().any("1777629600.".ljust(length - 1, "5") + "x") is None


@AT_AND_BESIDE
def test_a_template_has_so_many_fields(beyond: int) -> None:
    text = "{address}" + " {word}" * (MAX_FIELDS - 2 + beyond) + " x {user}"
    if beyond:
        with pytest.raises(ValueError, match=f"needs 1 to {MAX_FIELDS} fields"):
            Template(text)
    else:
        assert len(Template(text).fields) == MAX_FIELDS


def found_time(template: str, line: str) -> str | None:
    found = Template(template).find(line)
    return found.time if isinstance(found, Found) else None


@AT_AND_BESIDE
def test_a_time_in_a_line_has_so_many_letters(beyond: int) -> None:
    text = "2026-05-01T10:00:00.".ljust(MAX_TIME_CHARS + beyond, "5")
    assert found_time("{time} x {address}", f"{text} x 192.0.2.7") == (None if beyond else text)


@AT_AND_BESIDE
def test_a_time_in_a_line_has_so_many_blanks(beyond: int) -> None:
    text = "a " * (MAX_BLANKS + beyond) + "10:00:00"
    assert found_time("{time} {address} x", f"{text} 192.0.2.7 x") == (None if beyond else text)


@AT_AND_BESIDE
def test_an_address_between_free_texts_is_looked_for_so_far(beyond: int) -> None:
    port_number = "]:443"
    place = "[fe80::1%".ljust(MAX_HOST_CHARS - len(port_number) + beyond, "z") + port_number
    found = Template("x {user} from {address} by {any}").find(f"x ana from {place} by y")
    assert found == (Miss.AMBIGUOUS if beyond else Found("", place, "", "ana"))
