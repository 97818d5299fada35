"""Logins over POP3 and IMAP."""

from base64 import b64encode

import pytest
from hypothesis import given

from lapwing.events import AuthAttempted, AuthEvent, AuthResolved, Side
from lapwing.logins import imap, pop3
from lapwing.protocols.imap import ImapParser
from lapwing.protocols.pop3 import Pop3Parser
from tests.logins.lines import TAGGER, ended, logins, published, text
from tests.protocols.playbook import SIZES, Step, client, closes, cut, server

PLAIN = b64encode(b"\0Ana\0hunter2")


def over_pop3(*steps: Step) -> list[AuthEvent]:
    return logins("pop3", Pop3Parser(), server(b"+OK hi\r\n"), *steps)


def over_imap(*steps: Step) -> list[AuthEvent]:
    return logins("imap", ImapParser(), server(b"* OK hi\r\n"), *steps)


POP3_TALK = [
    client(b"USER Ana\r\n"),
    server(b"+OK\r\n"),
    client(b"PASS hunter2\r\n"),
    server(b"-ERR [AUTH] no\r\n"),
    client(b"AUTH PLAIN\r\n"),
    server(b"+ \r\n"),
    client(PLAIN + b"\r\n"),
    server(b"+OK Logged in.\r\n"),
]
IMAP_TALK = [
    client(b"a LOGIN Ana hunter2\r\n"),
    server(b"a NO [AUTHENTICATIONFAILED] no\r\n"),
    client(b"b AUTHENTICATE PLAIN " + PLAIN + b"\r\n"),
    server(b"b OK in\r\n"),
]


def test_a_refused_and_an_accepted_login_over_pop3() -> None:
    events = over_pop3(*POP3_TALK)
    assert ended(events) == [("ana", "password", "failed"), ("ana", "plain", "succeeded")]
    assert [event.secret_tag for event in events] == [TAGGER.tag("hunter2")] * 4
    assert "hunter2" not in text(events) + published(Pop3Parser(), *POP3_TALK)
    assert PLAIN.decode() not in published(Pop3Parser(), *POP3_TALK)


def test_a_refused_and_an_accepted_login_over_imap() -> None:
    events = over_imap(*IMAP_TALK)
    assert ended(events) == [("ana", "password", "failed"), ("ana", "plain", "succeeded")]
    assert [event.secret_tag for event in events] == [TAGGER.tag("hunter2")] * 4
    assert "hunter2" not in text(events) + published(ImapParser(), *IMAP_TALK)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (b"+OK\r\n", "succeeded"),
        (b"-ERR [IN-USE] maildrop locked\r\n", "succeeded"),
        (b"-ERR invalid\r\n", "failed"),
        (b"-ERR Account is locked\r\n", "locked"),
        (b"-ERR [SYS/TEMP] later\r\n", "unknown"),
    ],
)
def test_the_reply_of_pop3_tells_the_outcome(reply: bytes, outcome: str) -> None:
    assert ended(over_pop3(client(b"APOP Ana 00ff\r\n"), server(reply))) == [("ana", "apop", outcome)]


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (b"OK", "succeeded"),
        (b"NO wrong", "failed"),
        (b"NO Account is locked", "locked"),
        (b"NO [EXPIRED] change it", "challenged"),
        (b"NO [UNAVAILABLE] later", "unknown"),
        (b"BAD what", "unknown"),
    ],
)
def test_the_tagged_response_of_imap_tells_the_outcome(response: bytes, outcome: str) -> None:
    talk = [client(b'x LOGIN {3}\r\nAna "hunter2"\r\n'), server(b"+ go\r\nx " + response + b"\r\n")]
    assert ended(over_imap(*talk)) == [("ana", "password", outcome)]


def test_pipelined_commands_are_matched_with_their_replies() -> None:
    talk = [
        client(b"CAPA\r\nUSER Ana\r\nPASS a\r\nUSER Ana\r\nPASS b\r\n"),
        server(b"+OK\r\nTOP\r\n.\r\n+OK\r\n-ERR no\r\n+OK\r\n+OK in\r\n"),
    ]
    assert [outcome for _, _, outcome in ended(over_pop3(*talk))] == ["failed", "succeeded"]


def test_login_in_two_lines_and_a_cancelled_exchange() -> None:
    name, secret = b64encode(b"Ana"), b64encode(b"hunter2")
    said = [client(b"AUTH LOGIN\r\n"), server(b"+ \r\n"), client(name + b"\r\n"), server(b"+ \r\n")]
    talk = [*said, client(secret + b"\r\n"), server(b"-ERR no\r\n"), *said, client(b"*\r\n"), server(b"-ERR\r\n")]
    assert ended(over_pop3(*talk)) == [("ana", "login", "failed")]


def test_a_login_without_an_answer_is_unknown() -> None:
    assert ended(over_pop3(*POP3_TALK[:3], closes(Side.CLIENT))) == [("ana", "password", "unknown")]
    assert ended(over_imap(*IMAP_TALK[:1], closes(Side.CLIENT))) == [("ana", "password", "unknown")]


def test_tries_that_wait_for_an_answer_are_bounded() -> None:
    many = b"".join(b"t%d LOGIN Ana %d\r\n" % (turn, turn) for turn in range(3 * imap.MAX_PENDING))
    assert len(ended(over_imap(client(many)))) == 3 * imap.MAX_PENDING
    assert len(ended(over_pop3(client(b"PASS x\r\n" * 3 * pop3.MAX_PENDING)))) == 3 * pop3.MAX_PENDING


@given(SIZES)
def test_any_split_gives_the_same_logins(sizes: list[int]) -> None:
    def told(events: list[AuthEvent]) -> list[tuple[type, str | None, str | None]]:
        return [
            (type(one), one.username, one.secret_tag) for one in events if isinstance(one, AuthAttempted | AuthResolved)
        ]

    assert told(over_pop3(*cut(POP3_TALK, sizes))) == told(over_pop3(*POP3_TALK))
    assert told(over_imap(*cut(IMAP_TALK, sizes))) == told(over_imap(*IMAP_TALK))
