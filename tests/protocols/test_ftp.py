"""The FTP control channel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Side
from lapwing.events.messages import REDACTED, FtpCommand, FtpReply
from lapwing.protocols.contract import Match
from lapwing.protocols.ftp import MAX_STRANGE_LINES, FtpParser, probe
from lapwing.protocols.lines import MAX_LINE_BYTES
from tests.protocols.playbook import SIZES, Step, any_steps, client, closes, cut, lost, play, server

TALK = [
    server(b"220-Welcome to ftp.example.com\r\n    220 files wait\r\n220-of which 230 are new\r\n220 ready\r\n"),
    client(b"USER ana\r\n"),
    server(b"331 Password required for ana.\r\n"),
    client(b"PASS with spaces \r\n"),
    server(b"530 Login incorrect.\r\n"),
    client(b"user ana\npass lapwing\n"),
    server(b"331 again\n230 Logged in.\n"),
    client(b"\xff\xf4\xff\xf2ABOR\r\n"),
    server(b"226 Closing.\r\n"),
    client(b"QUIT"),
    closes(Side.CLIENT),
    server(b"221 Bye."),
    closes(Side.SERVER),
]
PIECES = [
    b"220 ready\r\n",
    b"230-a\n",
    b"\r\n",
    b"USER x\r\n",
    b"PASS y",
    b"\n",
    b"\xff",
    b"\xfa",
    b"\x16\x03",
    b"AUTH TLS\n",
]
BYTES = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join))


def test_a_talk_becomes_commands_and_whole_replies() -> None:
    assert play(FtpParser(), *TALK) == [
        FtpReply(220, "Welcome to ftp.example.com\n    220 files wait\nof which 230 are new\nready"),
        FtpCommand("USER", "ana"),
        FtpReply(331, "Password required for ana."),
        FtpCommand("PASS", "with spaces "),
        FtpReply(530, "Login incorrect."),
        FtpCommand("USER", "ana"),
        FtpCommand("PASS", "lapwing"),
        FtpReply(331, "again"),
        FtpReply(230, "Logged in."),
        FtpCommand("ABOR"),
        FtpReply(226, "Closing."),
        FtpCommand("QUIT"),
        FtpReply(221, "Bye."),
    ]


def test_a_reply_of_another_code_does_not_end_a_multi_line_reply() -> None:
    assert play(FtpParser(), server(b"211-Features\r\n500 odd\r\n211 End\r\n")) == [
        FtpReply(211, "Features\n500 odd\nEnd")
    ]


def test_reading_ends_when_the_server_accepts_encryption() -> None:
    parser = FtpParser()
    messages = play(parser, client(b"AUTH TLS\r\n"), server(b"234 Proceed.\r\n\x16\x03\x01\n"), client(b"\x16\x03\x01"))
    assert messages == [FtpCommand("AUTH", "TLS"), FtpReply(234, "Proceed.")]
    assert parser.done


def test_reading_goes_on_when_the_server_refuses_encryption_or_the_client_pretends_it() -> None:
    parser = FtpParser()
    messages = play(
        parser, client(b"AUTH TLS\r\n\x16\x03\x01\r\n"), server(b"502 No.\r\n500 What?\r\n"), client(b"USER ana\r\n")
    )
    assert messages[-1] == FtpCommand("USER", "ana")
    assert not parser.done


def test_a_tls_record_of_the_server_ends_reading_when_its_consent_was_lost() -> None:
    parser = FtpParser()
    play(parser, client(b"AUTH TLS\r\n"), lost(Side.SERVER, 20), server(b"\x16\x03\x03\x00\x7a\n\n"))
    assert parser.done


def test_a_line_over_the_bound_is_cut_and_the_next_one_read() -> None:
    flood = b"USER " + b"x" * (3 * MAX_LINE_BYTES) + b"\r\nPASS y\r\n"
    messages = play(FtpParser(), client(flood))
    assert messages == [FtpCommand("USER", "x" * (MAX_LINE_BYTES - 5)), FtpCommand("PASS", "y")]


def test_after_a_gap_only_a_line_that_is_clearly_whole_counts() -> None:
    messages = play(
        FtpParser(),
        server(b"220-Welc"),
        lost(Side.SERVER, 100),
        server(b"me here\r\n331 Password?\r\n"),
        client(b"PA"),
        lost(Side.CLIENT, 9),
        client(b"secret\r\nNOOP\r\n"),
        lost(Side.CLIENT, 10),
        client(b"QUIT\r\n"),
    )
    assert messages == [FtpReply(331, "Password?"), FtpCommand("NOOP"), FtpCommand("QUIT")]


def test_a_line_that_is_no_command_is_published_without_its_text() -> None:
    (message,) = play(FtpParser(), client(b"hunter2!\r\n"))
    assert message == FtpCommand("UNKNOWN", "hunter2!")
    assert message.redacted() == FtpCommand("UNKNOWN", REDACTED)


def test_a_password_quoted_by_the_server_is_hidden() -> None:
    messages = play(FtpParser(), client(b"PASS hunter2\r\n"), server(b"500 'PASS hunter2': not understood\r\n"))
    assert messages[-1] == FtpReply(500, f"'PASS {REDACTED}': not understood")


def test_what_is_not_ftp_is_given_up_with_a_reason() -> None:
    parser = FtpParser()
    play(parser, server(b"no reply\r\n" * MAX_STRANGE_LINES))
    assert parser.poisoned
    parser = FtpParser()
    assert len(play(parser, client(b"\x01\x02\r\n" * 100))) == MAX_STRANGE_LINES - 1
    assert parser.poisoned


def test_a_client_cannot_hide_behind_garbage() -> None:
    parser = FtpParser()
    play(parser, server(b"220 ready\r\n"), client(b"\x01\x02\r\n" * 100), client(b"USER ana\r\n"))
    assert parser.poisoned is None


@pytest.mark.parametrize(
    ("side", "head", "match"),
    [
        (Side.SERVER, b"", Match.MORE),
        (Side.SERVER, b"22", Match.MORE),
        (Side.SERVER, b"220 (vsFTPd 3.0.3)\r\n", Match.YES),
        (Side.SERVER, b"220-FileZilla ftp ESMTP gateway\r\n", Match.NO),
        (Side.SERVER, b"220 mail.example.com ESMTP\r\n", Match.NO),
        (Side.SERVER, b"220 ready\r\n", Match.MORE),
        (Side.SERVER, b"+OK POP3 ready\r\n", Match.NO),
        (Side.SERVER, b"SSH-2.0-OpenSSH_9.2\r\n", Match.NO),
        (Side.CLIENT, b"US", Match.MORE),
        (Side.CLIENT, b"USER ana\r\n", Match.YES),
        (Side.CLIENT, b"auth tls\r\n", Match.YES),
        (Side.CLIENT, b"AUTH LOGIN\r\n", Match.NO),
        (Side.CLIENT, b"USER ana 0 * :Ana\r\n", Match.NO),
        (Side.CLIENT, b"HELP\r\n", Match.MORE),
        (Side.CLIENT, b"EHLO x.example.com\r\n", Match.NO),
        (Side.CLIENT, b"GET / HTTP/1.1\r\n", Match.NO),
        (Side.CLIENT, b"\x16\x03\x01", Match.NO),
    ],
)
def test_content_tells_ftp_from_others(side: Side, head: bytes, match: Match) -> None:
    assert probe(side, head) is match


@given(SIZES)
def test_any_split_of_a_talk_gives_the_same_messages(sizes: list[int]) -> None:
    assert play(FtpParser(), *cut(TALK, sizes)) == play(FtpParser(), *TALK)


@given(any_steps(BYTES), SIZES)
def test_any_bytes_give_messages_and_never_an_error_however_split(steps: list[Step], sizes: list[int]) -> None:
    whole, pieces = FtpParser(), FtpParser()
    assert play(whole, *steps) == play(pieces, *cut(steps, sizes))
    assert whole.poisoned == pieces.poisoned


def test_an_endless_line_is_held_only_up_to_the_bound() -> None:
    parser = FtpParser()
    for _ in range(100):
        play(parser, client(b"x" * 4000), server(b"2" * 4000))
        assert parser.held_bytes <= 2 * (MAX_LINE_BYTES + 4000)


def test_an_endless_multi_line_reply_is_held_only_up_to_the_bound() -> None:
    parser = FtpParser()
    play(parser, server(b"220-start\r\n"), *[server(b"more text\r\n" * 100)] * 100)
    (reply,) = play(parser, server(b"220 end\r\n"))
    assert isinstance(reply, FtpReply)
    assert len(reply.text) <= MAX_LINE_BYTES
