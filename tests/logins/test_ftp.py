"""Logins over FTP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import AuthAttempted, AuthEvent, AuthEvidence, AuthResolved, Outcome, Side
from lapwing.logins.ftp import MAX_PENDING
from lapwing.protocols.ftp import FtpParser
from tests.logins.lines import TAGGER, ended, logins, published, text
from tests.protocols.playbook import SIZES, Step, client, closes, cut, server


def ftp(*steps: Step) -> list[AuthEvent]:
    return logins("ftp", FtpParser(), *steps)


def guess(password: bytes, reply: bytes) -> list[Step]:
    return [client(b"USER Ana\r\n"), server(b"331 go\r\n"), client(b"PASS " + password + b"\r\n"), server(reply)]


def test_a_refused_password_is_tried_and_then_failed() -> None:
    events = ftp(server(b"220 hi\r\n"), *guess(b"hunter2", b"530 Login incorrect.\r\n"))
    attempt, outcome = events
    assert isinstance(attempt, AuthAttempted)
    assert isinstance(outcome, AuthResolved)
    assert (attempt.username, attempt.endpoint, attempt.ts_ns) == ("ana", "ftp", 3)
    assert attempt.secret_tag == TAGGER.tag("hunter2")
    assert (outcome.outcome, outcome.evidence, outcome.ts_ns) == (Outcome.FAILED, AuthEvidence.SERVER_REPLY, 4)
    assert (outcome.client_ip, outcome.flow_id, outcome.auth_id) == ("192.0.2.10", 7, attempt.auth_id)
    assert "hunter2" not in text(events)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (b"230 Welcome.\r\n", "succeeded"),
        (b"530 Login incorrect.\r\n", "failed"),
        (b"430 Invalid user or password\r\n", "failed"),
        (b"332 Account?\r\n", "challenged"),
        (b"530 Account is locked.\r\n", "locked"),
        (b"421 Too many login failures, good bye.\r\n", "locked"),
        (b"421 Timeout.\r\n", "unknown"),
        (b"503 Login with USER first.\r\n", "unknown"),
        (b"200 NOOP ok.\r\n", "unknown"),
    ],
)
def test_the_reply_tells_the_outcome(reply: bytes, outcome: str) -> None:
    assert ended(ftp(*guess(b"hunter2", reply))) == [("ana", "password", outcome)]


def test_anonymous_logins_are_marked() -> None:
    events = ftp(client(b"USER anonymous\r\nPASS ana@example.com\r\n"), server(b"331 mail?\r\n230 ok\r\n"))
    assert ended(events) == [("anonymous", "anonymous", "succeeded")]
    assert "ana@" not in text(events)


def test_a_user_let_in_or_turned_away_without_a_password_is_a_login_too() -> None:
    assert ended(ftp(client(b"USER ana\r\n"), server(b"230 ok\r\n"))) == [("ana", "password", "succeeded")]
    assert ended(ftp(client(b"USER ana\r\n"), server(b"530 no\r\n"))) == [("ana", "password", "failed")]


def test_commands_sent_without_waiting_are_matched_in_order() -> None:
    talk = client(b"USER ana\r\nPASS one1\r\nUSER bo\r\nPASS two2\r\n")
    replies = server(b"331 go\r\n530 no\r\n331 go\r\n230 ok\r\n")
    assert ended(ftp(talk, replies)) == [("ana", "password", "failed"), ("bo", "password", "succeeded")]


def test_replies_to_other_commands_are_no_logins() -> None:
    steps = [server(b"220 hi\r\n"), client(b"LIST\r\n"), server(b"530 Please login with USER and PASS.\r\n")]
    assert ftp(*steps) == []


def test_a_login_whose_reply_never_came_is_unknown() -> None:
    (_, outcome) = ftp(client(b"USER ana\r\nPASS hunter2\r\n"), closes(Side.CLIENT))
    assert isinstance(outcome, AuthResolved)
    assert (outcome.outcome, outcome.evidence) == (Outcome.UNKNOWN, AuthEvidence.PROTOCOL_STATE)


def test_a_flood_of_passwords_without_answers_is_bounded_and_none_is_forgotten() -> None:
    events = ftp(client(b"USER ana\r\n" + b"PASS x\r\n" * 100))
    assert ended(events) == [("ana", "password", "unknown")] * 100
    assert len([event for event in events[: 2 * 100 - MAX_PENDING] if isinstance(event, AuthResolved)]) > 0


@given(SIZES)
def test_any_split_gives_the_same_logins(sizes: list[int]) -> None:
    steps = [*guess(b"hunter2", b"530 no\r\n"), *guess(b"hunter3", b"230 ok\r\n")]
    assert ended(ftp(*cut(steps, sizes))) == ended(ftp(*steps))


CLIENT_LINES = [b"USER a", b"PASS hunter2", b"ACCT hunter2", b"SITE PSWD hunter2 hunter2", b"REIN", b"?hunter2"]
SERVER_LINES = [b"230 x", b"331 x", b"530 x", b"421 x", b"230-x"]
STEP = st.one_of(
    st.sampled_from(CLIENT_LINES).map(lambda line: client(line + b"\r\n")),
    st.sampled_from(SERVER_LINES).map(lambda line: server(line + b"\r\n")),
)


@given(st.lists(STEP, max_size=30))
def test_no_order_of_lines_breaks_the_pairing_or_shows_a_secret(steps: list[Step]) -> None:
    assert "hunter2" not in text(ftp(*steps)) + published(FtpParser(), *steps)
