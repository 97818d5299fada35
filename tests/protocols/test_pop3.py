"""POP3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Side
from lapwing.events.messages import REDACTED
from lapwing.events.messages.pop3 import Pop3Command, Pop3Reply
from lapwing.protocols import Handover, Match
from lapwing.protocols.lines import MAX_LINE_BYTES
from lapwing.protocols.pop3 import MAX_STRANGE_LINES, POP3, Pop3Parser
from tests.protocols.playbook import SIZES, Step, any_steps, client, cut, lost, play, server

TALK = [
    server(b"+OK POP3 ready <1.2@mail.example.com>\r\n"),
    client(b"CAPA\r\n"),
    server(b"+OK\r\nTOP\r\nSASL PLAIN\r\n.\r\n"),
    client(b"AUTH PLAIN\r\n"),
    server(b"+ \r\n"),
    client(b"AGFuYQBsYXB3aW5n\r\n"),
    server(b"-ERR [AUTH] Authentication failed.\r\n"),
    client(b"user ana\r\nPASS with spaces \r\nRETR 1\r\nQUIT\r\n"),
    server(b"+OK\r\n+OK Logged in.\r\n+OK 20 octets\r\n+OK is in the mail\r\n..dot\r\n.\r\n+OK bye\r\n"),
]
PIECES = [b"+OK x\r\n", b"-ERR\r\n", b"+ \r\n", b".\r\n", b"AUTH PLAIN\r\n", b"PASS y\r\n", b"STLS\r\n", b"\x16\x03"]
BYTES = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join))


def test_a_talk_becomes_commands_and_replies_with_bodies_counted() -> None:
    assert play(Pop3Parser(), *TALK) == [
        Pop3Reply("ok", "POP3 ready <1.2@mail.example.com>"),
        Pop3Command("CAPA"),
        Pop3Reply("ok", "", 17),
        Pop3Command("AUTH", "PLAIN"),
        Pop3Reply("continue"),
        Pop3Command("AUTH-DATA", "AGFuYQBsYXB3aW5n"),
        Pop3Reply("err", "[AUTH] Authentication failed."),
        Pop3Command("USER", "ana"),
        Pop3Command("PASS", "with spaces "),
        Pop3Command("RETR", "1"),
        Pop3Command("QUIT"),
        Pop3Reply("ok"),
        Pop3Reply("ok", "Logged in."),
        Pop3Reply("ok", "20 octets", 26),
        Pop3Reply("ok", "bye"),
    ]


def test_secrets_are_published_redacted() -> None:
    redacted = [
        str(message.redacted()) for message in play(Pop3Parser(), *TALK, client(b"APOP ana 0123abc\r\nhunter2\r\n"))
    ]
    assert not [text for text in redacted if "with spaces" in text or "AGFu" in text or "0123abc" in text]
    assert Pop3Command("UNKNOWN", "hunter2").redacted() == Pop3Command("UNKNOWN", REDACTED)


def test_a_password_quoted_by_the_server_is_hidden() -> None:
    talk = [server(b"+OK\r\n"), client(b"PASS hunter2\r\n"), server(b"-ERR unknown: PASS hunter2\r\n")]
    assert play(Pop3Parser(), *talk)[-1] == Pop3Reply("err", f"unknown: PASS {REDACTED}")


def test_after_stls_the_stream_goes_on_as_tls() -> None:
    parser = Pop3Parser()
    talk = [server(b"+OK ready\r\n"), client(b"STLS\r\n"), server(b"+OK begin\r\n\x16\x03\x03")]
    assert len(play(parser, *talk)) == 3
    assert parser.done
    assert parser.handover == Handover("tls", b"", b"\x16\x03\x03")


def test_a_refused_stls_changes_nothing() -> None:
    parser = Pop3Parser()
    play(parser, server(b"+OK ready\r\n"), client(b"STLS\r\n"), server(b"-ERR no\r\n"))
    assert not parser.done


def test_after_a_hole_reading_goes_on_and_a_body_that_was_cut_is_told() -> None:
    talk = [server(b"+OK hi\r\n"), client(b"RETR 1\r\n"), server(b"+OK 900\r\nab"), lost(Side.SERVER, 500)]
    messages = play(Pop3Parser(), *talk, server(b"tail\r\n+OK next\r\n"))
    assert messages[2:] == [Pop3Reply("ok", "900"), Pop3Reply("ok", "next")]


def test_lines_that_are_no_pop3_poison() -> None:
    parser = Pop3Parser()
    play(parser, client(b"what is this\r\n" * MAX_STRANGE_LINES))
    assert parser.poisoned


@given(SIZES)
def test_any_split_gives_the_same_messages(sizes: list[int]) -> None:
    assert play(Pop3Parser(), *cut(TALK, sizes)) == play(Pop3Parser(), *TALK)


@given(any_steps(BYTES))
def test_any_bytes_give_messages_within_the_bounds(steps: list[Step]) -> None:
    parser = Pop3Parser()
    play(parser, *steps)
    assert parser.held_bytes <= 2 * (MAX_LINE_BYTES + 60)


@pytest.mark.parametrize(
    ("side", "head", "match"),
    [
        (Side.SERVER, b"+OK Dovecot ready.\r\n", Match.YES),
        (Side.SERVER, b"+O", Match.MORE),
        (Side.SERVER, b"+PONG\r\n", Match.NO),
        (Side.CLIENT, b"CAPA\r\n", Match.YES),
        (Side.CLIENT, b"USER ana\r\n", Match.MORE),
        (Side.CLIENT, b"EHLO a\r\n", Match.NO),
    ],
)
def test_the_greeting_or_the_first_command_tells(side: Side, head: bytes, match: Match) -> None:
    assert POP3.probe(side, head) is match
