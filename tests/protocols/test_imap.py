"""IMAP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Side
from lapwing.events.messages import REDACTED
from lapwing.events.messages.imap import ImapCommand, ImapResponse
from lapwing.protocols import Handover, Match
from lapwing.protocols.imap import IMAP, MAX_COMMAND_BYTES, MAX_STRANGE_LINES, ImapParser
from lapwing.protocols.lines import MAX_LINE_BYTES
from tests.protocols.playbook import SIZES, Step, any_steps, client, cut, lost, play, server

TALK = [
    server(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n"),
    client(b'a1 login ana "with \\"quotes\\""\r\n'),
    server(b"a1 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"),
    client(b"a2 LOGIN {3}\r\n"),
    server(b"+ OK\r\n"),
    client(b"ana {9+}\r\nlap\r\nwing\r\n"),
    server(b"* CAPABILITY IMAP4rev1\r\na2 OK Logged in\r\n"),
    client(b"a3 UID FETCH 1 BODY[]\r\n"),
    server(b"* 1 FETCH (BODY[] {16}\r\na3 NO not this\r\n)\r\na3 OK Fetch completed.\r\n"),
    client(b"a4 AUTHENTICATE PLAIN\r\n"),
    server(b"+ \r\n"),
    client(b"AGFuYQBsYXB3aW5n\r\n"),
    server(b"a4 BAD already\r\n"),
    client(b"a5 IDLE\r\nDONE\r\na6 LOGOUT\r\n"),
    server(b"* BYE out\r\na6 OK done\r\n"),
]
PIECES = [
    b"* OK x\r\n",
    b"a1 NO\r\n",
    b"+ \r\n",
    b"{5}\r\n",
    b"a1 LOGIN ",
    b"x {3+}\r\n",
    b"a STARTTLS\r\n",
    b"\x16\x03",
]
BYTES = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join))


def test_a_talk_becomes_commands_and_status_responses() -> None:
    assert play(ImapParser(), *TALK) == [
        ImapResponse("*", "OK", "[CAPABILITY IMAP4rev1 AUTH=PLAIN] ready"),
        ImapCommand("a1", "LOGIN", ["ana", 'with "quotes"']),
        ImapResponse("a1", "NO", "[AUTHENTICATIONFAILED] Authentication failed."),
        ImapResponse("+", "", "OK"),
        ImapCommand("a2", "LOGIN", ["ana", "lap\r\nwing"]),
        ImapResponse("a2", "OK", "Logged in"),
        ImapCommand("a3", "UID FETCH", ["1 BODY[]"]),
        ImapResponse("a3", "OK", "Fetch completed."),
        ImapCommand("a4", "AUTHENTICATE", ["PLAIN"]),
        ImapResponse("+", ""),
        ImapCommand("a4", "AUTH-DATA", ["AGFuYQBsYXB3aW5n"]),
        ImapResponse("a4", "BAD", "already"),
        ImapCommand("a5", "IDLE"),
        ImapCommand("", "DONE"),
        ImapCommand("a6", "LOGOUT"),
        ImapResponse("*", "BYE", "out"),
        ImapResponse("a6", "OK", "done"),
    ]


def test_secrets_are_published_redacted() -> None:
    redacted = [message.redacted() for message in play(ImapParser(), *TALK)]
    assert redacted[1] == ImapCommand("a1", "LOGIN", ["ana", REDACTED])
    assert redacted[10] == ImapCommand("a4", "AUTH-DATA", [REDACTED])
    assert ImapCommand("", "UNKNOWN", ["hunter2"]).redacted().arguments == [REDACTED]


def test_a_password_quoted_by_the_server_is_hidden() -> None:
    talk = [server(b"* OK\r\n"), client(b"a LOGIN ana hunter2\r\n"), server(b"a BAD Unexpected: ana hunter2\r\n")]
    assert play(ImapParser(), *talk)[-1] == ImapResponse("a", "BAD", f"Unexpected: ana {REDACTED}")


def test_after_starttls_the_stream_goes_on_as_tls() -> None:
    parser = ImapParser()
    play(parser, server(b"* OK\r\n"), client(b"a STARTTLS\r\n"), server(b"a OK begin\r\n\x16\x03\x03"))
    assert parser.done
    assert parser.handover == Handover("tls", b"", b"\x16\x03\x03")


def test_what_is_compressed_is_left() -> None:
    parser = ImapParser()
    play(parser, server(b"* OK\r\n"), client(b"a COMPRESS DEFLATE\r\n"), server(b"a OK\r\n\x78\x9c"))
    assert parser.done
    assert parser.handover is None


def test_an_appended_mail_is_skipped_and_a_hole_in_it_does_no_harm() -> None:
    talk = [
        client(b"a APPEND INBOX {1000}\r\nFrom: x\r\nb LOGIN eve no\r\n"),
        lost(Side.CLIENT, 950),
        client(b"x" * 25),
        client(b"\r\nc LOGOUT\r\n"),
    ]
    assert play(ImapParser(), *talk) == [ImapCommand("a", "APPEND", ["INBOX {}"]), ImapCommand("c", "LOGOUT")]


def test_a_hole_in_a_line_loses_that_line() -> None:
    talk = [client(b"a LOGIN ana hun"), lost(Side.CLIENT, 3), client(b"2\r\nb LOGOUT\r\n")]
    assert play(ImapParser(), *talk) == [ImapCommand("b", "LOGOUT")]


def test_lines_that_are_no_imap_poison() -> None:
    parser = ImapParser()
    play(parser, client(b"what is this?\r\n" * MAX_STRANGE_LINES))
    assert parser.poisoned


@given(SIZES)
def test_any_split_gives_the_same_messages(sizes: list[int]) -> None:
    assert play(ImapParser(), *cut(TALK, sizes)) == play(ImapParser(), *TALK)


@given(any_steps(BYTES))
def test_any_bytes_give_messages_within_the_bounds(steps: list[Step]) -> None:
    parser = ImapParser()
    play(parser, *steps)
    assert parser.held_bytes <= 2 * (MAX_LINE_BYTES + 2 * MAX_COMMAND_BYTES)


def test_many_literals_stay_within_the_bound() -> None:
    parser = ImapParser()
    play(parser, client(b"a SEARCH " + b"{900+}\r\n" + (b"x" * 900 + b"{900+}\r\n") * 200))
    assert parser.held_bytes <= MAX_LINE_BYTES + 2 * MAX_COMMAND_BYTES


@pytest.mark.parametrize(
    ("side", "head", "match"),
    [
        (Side.SERVER, b"* OK Dovecot ready.\r\n", Match.YES),
        (Side.SERVER, b"* PRE", Match.MORE),
        (Side.SERVER, b"*3\r\n$3\r\n", Match.NO),
        (Side.CLIENT, b"a001 LOGIN ana x\r\n", Match.YES),
        (Side.CLIENT, b"a001 LO", Match.MORE),
        (Side.CLIENT, b"GET / HTTP/1.1\r\n", Match.NO),
        (Side.CLIENT, b"USER ana\r\n", Match.NO),
    ],
)
def test_the_greeting_or_the_first_command_tells(side: Side, head: bytes, match: Match) -> None:
    assert IMAP.probe(side, head) is match
