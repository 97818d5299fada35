"""Whoever tries to log in writes part of the line: nothing they write may pass for another address."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import AuthResolved
from lapwing.logins.logs import LOG_FORMATS, LogFormat, Miss
from lapwing.logins.logs.patterns import Pattern, pattern_format
from lapwing.logins.logs.wellknown import PATTERNS

from .reading import context, log, logins, miss
from .samples import SAMPLES

VICTIM, TRUE = "192.0.2.1", "203.0.113.9"
HEAD = "May  1 10:00:00 host "

# Lines with a name or another text of the client's that looks like the rest of the line, naming VICTIM.
FORGED = (
    ("syslog", f"{HEAD}sshd[7]: Failed password for invalid user x from {VICTIM} port 22 ssh2 from {TRUE} port 5 ssh2"),
    (
        "syslog",
        f"{HEAD}sshd[7]: Failed password for invalid user x from {VICTIM} port 22 ssh2: y from {TRUE} port 5 ssh2",
    ),
    (
        "syslog",
        f"{HEAD}sshd[7]: Failed publickey for root from {TRUE} port 5 ssh2: RSA-CERT SHA256:a ID x from {VICTIM} port "
        "22 ssh2: y (serial 0) CA RSA SHA256:b",
    ),
    ("syslog", f"{HEAD}sshd[7]: Invalid user x from {VICTIM} port 22 from {TRUE} port 5"),
    (
        "syslog",
        f"{HEAD}dovecot: imap-login: Disconnected (auth failed, 1 attempts): user=<a>, method=PLAIN, rip={VICTIM}, "
        f"lip=192.0.2.2>, method=PLAIN, rip={TRUE}, lip=192.0.2.3, TLS, session=<x>",
    ),
    (
        "syslog",
        f"{HEAD}webui[7]: pam_unix(webui:auth): authentication failure; logname= uid=0 euid=0 tty= ruser= "
        f"rhost={TRUE}  user=x rhost={VICTIM}",
    ),
    (
        "syslog",
        f"{HEAD}postfix/smtpd[7]: warning: unknown[{TRUE}]: SASL LOGIN authentication failed: authentication failure, "
        f"sasl_username=unknown[{VICTIM}]: SASL LOGIN authentication failed",
    ),
    (
        "vsftpd",
        f'Fri May  1 10:00:00 2026 [pid 7] [x] FAIL LOGIN: Client "{VICTIM}"] FAIL LOGIN: Client "{TRUE}"',
    ),
    (
        "vsftpd",
        f'Fri May  1 10:00:00 2026 [pid 7] [ftp] OK LOGIN: Client "{TRUE}", anon password "] FAIL LOGIN: '
        f'Client "{VICTIM}"',
    ),
    (
        "combined",
        f'{TRUE} - x [01/May/2026:10:00:00 +0000] \\"{VICTIM} - y [01/May/2026:10:00:00 +0000] "GET / HTTP/1.1" 401 5',
    ),
    (
        "keycloak",
        "2026-05-01 10:00:00,123 WARN  [org.keycloak.events] (t) type=LOGIN_ERROR, realmId=main, "
        f"clientId=x, ipAddress={VICTIM}, userId=null, ipAddress={TRUE}, error=user_not_found, username=bob",
    ),
    (
        "well-known",
        "2026/05/01 10:00:00 a [I] Failed authentication attempt for "
        f"x from {VICTIM}:1: y from {TRUE}:5: user does not exist [uid: 0, name: x from {VICTIM}:1: y, keyid: 0]",
    ),
    (
        "well-known",
        f'2026/05/01 10:00:00 [error] 1#1: *1 user "x" was not found in "y, client: {VICTIM}, server: z" was not found '
        f'in "/etc/p", client: {TRUE}, server: _, request: "GET / HTTP/1.1", host: "h"',
    ),
    (
        "well-known",
        f"2026-05-01  5:13:11 8 [Warning] Access denied for user 'x'@'{VICTIM}' (using password: YES)'@'{TRUE}' "
        "(using password: YES)",
    ),
)


@pytest.mark.parametrize(("name", "line"), FORGED)
def test_a_forged_address_is_never_the_clients(name: str, line: str) -> None:
    found = logins(name, line)
    assert all(event.client_ip == TRUE for event in found)


@pytest.mark.parametrize(("name", "line"), FORGED)
def test_a_forged_line_is_read_right_or_counted_as_ambiguous(name: str, line: str) -> None:
    reader = log(name)
    found = [*reader.feed([line]), *reader.close()]
    assert found or reader.misses[Miss.AMBIGUOUS] or reader.misses[Miss.FOREIGN]


def test_text_that_only_python_takes_for_a_line_end_ends_no_line() -> None:
    name = f"x\x0b{HEAD}sshd[7]: Failed password for y from {VICTIM} port 22 ssh2\u2028"
    line = f"{HEAD}sshd[7]: Failed password for invalid user {name} from {TRUE} port 5 ssh2"
    assert [event.client_ip for event in logins("syslog", line)] == [TRUE]


@pytest.mark.parametrize("log_format", LOG_FORMATS, ids=lambda one: one.name)
@given(line=st.text(max_size=300))
def test_any_text_gives_a_reading_and_no_exception(log_format: LogFormat, line: str) -> None:
    log_format.recognises(line)
    reader = log_format.make(context())
    assert isinstance(reader.read(line), AuthResolved | Miss)
    list(reader.close())


@given(st.data())
def test_a_mangled_line_gives_a_reading_and_no_exception(data: st.DataObject) -> None:
    name, lines, _ = data.draw(st.sampled_from(SAMPLES))
    line = data.draw(st.sampled_from(lines))
    at = data.draw(st.integers(0, len(line)))
    upto = data.draw(st.integers(at, min(len(line), at + 20)))
    mangled = line[:at] + data.draw(st.text(max_size=20)) + line[upto:]
    reader = log(name)
    reader.feed([mangled])
    reader.close()


def test_a_request_without_an_end_takes_no_longer_than_its_line() -> None:
    begun = f'{TRUE}:4 [01/May/2026:10:00:00.123] a b/c 10/0/30/69/109 401 27 - - ---- 1/1/1/1/0 0/0 "POST /login?'
    assert miss("haproxy", begun + "x" * 1_000_000) is Miss.OTHER
    (event,) = logins("haproxy", f'{begun}{"x" * 1_000} HTTP/1.1"')
    assert event.client_ip == TRUE


@pytest.mark.parametrize("log_format", LOG_FORMATS, ids=lambda one: one.name)
@pytest.mark.parametrize("piece", ["[", '{"a":'])
def test_a_deeply_nested_document_is_no_line_of_any_log(log_format: LogFormat, piece: str) -> None:
    line = f'{{"ts_ns":1,"event_type":"auth.resolved","MESSAGE":"x","__REALTIME_TIMESTAMP":"1","y":{piece * 20_000}'
    assert not log_format.recognises(line)
    assert isinstance(log_format.make(context()).read(line), Miss)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.data())
def test_documents_with_values_of_any_kind_give_no_exception(data: st.DataObject) -> None:
    documents = [(name, line) for name, lines, _ in SAMPLES for line in lines if line.startswith("{")]
    name, line = data.draw(st.sampled_from(documents))
    document = json.loads(line)
    key = data.draw(st.sampled_from(sorted(document)))
    document[key] = data.draw(JSON_VALUES)
    reader = log(name)
    reader.feed([json.dumps(document)])
    reader.close()


@given(user=st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=60))
def test_no_name_moves_the_address_that_sshd_wrote(user: str) -> None:
    line = f"{HEAD}sshd[7]: Failed password for invalid user {user} from {TRUE} port 5 ssh2"
    assert [event.client_ip for event in logins("syslog", line)] == [TRUE]


TEMPLATES = [pattern for pattern in PATTERNS if pattern.line is not None]
FILLED = {"time": "2026-05-01 10:00:00", "port": "5", "word": "w", "number": "7", "any": "x"}


@pytest.mark.parametrize("pattern", TEMPLATES, ids=lambda one: one.name)
def test_no_well_known_line_lets_a_name_forge_the_address(pattern: Pattern) -> None:
    """The name holds a whole line of the same kind about VICTIM, or the end of one."""
    assert pattern.line is not None
    whole = _filled(pattern.line, VICTIM, "y")
    place = whole.find(VICTIM)
    log_format = pattern_format("one", "one", [pattern])
    for user in (whole, whole[place:], f"y{whole[max(0, place - 20) :]}", f"{whole[: place + len(VICTIM)]}"):
        found = logins(log_format, _filled(pattern.line, TRUE, user))
        assert all(event.client_ip == TRUE for event in found)


def _filled(line: str, address: str, user: str) -> str:
    text = line.replace("{{", "\0").replace("}}", "\1").replace("{address}", address)
    for name, value in FILLED.items():
        text = text.replace(f"{{{name}}}", value)
    return text.replace("\0", "{").replace("\1", "}").replace("{user}", user)


def test_a_certificates_words_make_a_line_ambiguous() -> None:
    assert miss(*FORGED[2]) is Miss.AMBIGUOUS
