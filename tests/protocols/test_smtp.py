"""SMTP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Side
from lapwing.events.messages import REDACTED, SmtpCommand, SmtpMail, SmtpReply
from lapwing.protocols.contract import Match
from lapwing.protocols.lines import MAX_LINE_BYTES
from lapwing.protocols.mail import MAX_HEADER_BYTES, MAX_RECIPIENTS
from lapwing.protocols.smtp import MAX_STRANGE_LINES, SmtpParser, probe
from tests.protocols.playbook import SIZES, Step, any_steps, client, closes, cut, lost, play, server

HELLO = [
    server(b"220 mail.example.com ESMTP\r\n"),
    client(b"EHLO a.example.com\r\n"),
    server(b"250-hi\r\n250 AUTH LOGIN\r\n"),
]
CONTENT = (
    b"From: Ana <ana@example.com>\r\nX-Private: not kept\r\n folded with it\r\nSubject: long\r\n\tand folded\r\n\r\n"
    b"..dotted\r\n.\rnot the end\r\nlast\r\n"
)
DELIVERY = [
    client(b"MAIL FROM:<ana@example.com> SIZE=99\r\nRCPT TO:<bo@example.org>\r\nrcpt to: cy@example.net\r\nDATA\r\n"),
    server(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
    client(CONTENT + b".\r\nQUIT\r\n"),
    server(b"250 queued\r\n221 bye\r\n"),
]
TALK = [
    *HELLO,
    client(b"AUTH LOGIN\r\n"),
    server(b"334 VXNlcm5hbWU6\r\n"),
    client(b"YW5h\r\n"),
    server(b"334 UGFzc3dvcmQ6\r\n"),
    client(b"QUIT\r\n"),
    server(b"535 5.7.8 no\r\n"),
    *DELIVERY,
    closes(Side.CLIENT),
    closes(Side.SERVER),
]
BODY_BYTES = len(b".dotted\r\n\rnot the end\r\nlast\r\n")
MAIL = SmtpMail(
    mail_from="ana@example.com",
    rcpt_to=["bo@example.org", "cy@example.net"],
    headers=[("From", "Ana <ana@example.com>"), ("Subject", "long and folded")],
    body_bytes=BODY_BYTES,
)
PIECES = [
    *(
        b"220 x\r\n",
        b"354 go\r\n",
        b"334 x\r\n",
        b"235 x\r\n",
        b"500 x\r\n",
        b"\x16\x03",
        b".\r\n",
        b"\r\n",
        b"\n",
        b".",
    ),
    *(b"AUTH PLAIN\r\n", b"EHLO x\r\n", b"DATA\r\n", b"BDAT 20\r\n", b"BDAT 5 LAST\r\n", b"STARTTLS\r\n"),
    *(b"MAIL FROM:<x>\r\n", b"Subject: x"),
]
BYTES = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join))


def mails(steps: list[Step]) -> list[SmtpMail]:
    return [message for message in play(SmtpParser(), *steps) if isinstance(message, SmtpMail)]


def test_a_talk_becomes_commands_replies_and_mails() -> None:
    assert play(SmtpParser(), *TALK) == [
        SmtpReply(220, "mail.example.com ESMTP"),
        SmtpCommand("EHLO", "a.example.com"),
        SmtpReply(250, "hi\nAUTH LOGIN"),
        SmtpCommand("AUTH", "LOGIN"),
        SmtpReply(334, "VXNlcm5hbWU6"),
        SmtpCommand("AUTH-DATA", "YW5h"),
        SmtpReply(334, "UGFzc3dvcmQ6"),
        SmtpCommand("AUTH-DATA", "QUIT"),
        SmtpReply(535, "5.7.8 no"),
        SmtpCommand("MAIL", "FROM:<ana@example.com> SIZE=99"),
        SmtpCommand("RCPT", "TO:<bo@example.org>"),
        SmtpCommand("RCPT", "to: cy@example.net"),
        SmtpCommand("DATA"),
        *[SmtpReply(250, "ok")] * 3,
        SmtpReply(354, "go"),
        MAIL,
        SmtpCommand("QUIT"),
        SmtpReply(250, "queued"),
        SmtpReply(221, "bye"),
    ]


def test_chunks_hold_a_mail_without_dots_and_commands_between_them() -> None:
    content = CONTENT.replace(b"\r\n..", b"\r\n.").replace(b"\r\n.\r", b"\r\n\r")
    first, second = content[:20], content[20:]
    steps = [
        *HELLO,
        client(b"MAIL FROM:<ana@example.com>\r\nRCPT TO:<bo@example.org>\r\nRCPT TO:<cy@example.net>\r\n"),
        client(b"BDAT %d\r\n%bBDAT %d LAST\r\n%bQUIT\r\n" % (len(first), first, len(second), second)),
    ]
    messages = play(SmtpParser(), *steps)
    assert messages[-2:] == [MAIL, SmtpCommand("QUIT")]


def test_a_refused_data_leaves_the_client_in_command_mode() -> None:
    steps = [*HELLO, client(b"DATA\r\n"), server(b"503 no\r\n"), client(b"AUTH PLAIN x\r\n"), closes(Side.CLIENT)]
    assert play(SmtpParser(), *steps)[-1] == SmtpCommand("AUTH", "PLAIN x")


def test_a_server_without_chunks_reads_on_as_commands() -> None:
    steps = [*HELLO, client(b"BDAT 99999999\r\n"), server(b"502 what?\r\n"), client(b"AUTH PLAIN x\r\n")]
    assert play(SmtpParser(), *steps)[-1] == SmtpCommand("AUTH", "PLAIN x")


@pytest.mark.parametrize("size", [b"-1", b"x", b"99999999999999999999999", b"", b"1 2"])
def test_a_chunk_of_impossible_size_is_a_command_like_others(size: bytes) -> None:
    assert play(SmtpParser(), client(b"BDAT " + size + b"\r\nQUIT\r\n"))[-1] == SmtpCommand("QUIT")


def test_a_line_feed_alone_ends_content_only_where_the_client_ends_lines_so() -> None:
    smuggled = b"Subject: x\r\n\r\nhi\n.\nAUTH PLAIN x\r\n.\r\n"
    strict = mails([client(b"MAIL FROM:<a>\r\nDATA\r\n"), client(smuggled)])
    assert [mail.body_bytes for mail in strict] == [len(b"hi\n\nAUTH PLAIN x\r\n")]
    loose = play(SmtpParser(), client(b"DATA\n"), client(b"Subject: x\n\nhi\n.\nQUIT\n"))
    assert loose[-1] == SmtpCommand("QUIT")


def test_reading_ends_when_the_server_accepts_encryption() -> None:
    parser = SmtpParser()
    play(parser, *HELLO, client(b"STARTTLS\r\n"), server(b"220 go\r\n"), client(b"\x16\x03\x01"))
    assert parser.done


def test_a_refused_encryption_changes_nothing() -> None:
    parser = SmtpParser()
    messages = play(parser, *HELLO, client(b"STARTTLS\r\n"), server(b"454 no\r\n"), client(b"AUTH PLAIN x\r\n"))
    assert messages[-1] == SmtpCommand("AUTH", "PLAIN x")
    assert not parser.done


def test_the_greeting_is_not_taken_for_the_answer_of_an_early_client() -> None:
    parser = SmtpParser()
    play(parser, client(b"EHLO x\r\nSTARTTLS\r\n"), server(b"220 hi ESMTP\r\n250 ok\r\n"))
    assert not parser.done
    play(parser, server(b"220 go\r\n"))
    assert parser.done


def test_a_challenge_whose_command_was_lost_still_makes_the_next_line_a_secret() -> None:
    messages = play(
        SmtpParser(), *HELLO, lost(Side.CLIENT, 12), server(b"334 UGFzc3dvcmQ6\r\n"), client(b"c2VjcmV0\r\n")
    )
    assert messages[-1] == SmtpReply(334, "UGFzc3dvcmQ6") or messages[-1] == SmtpCommand("AUTH-DATA", "c2VjcmV0")
    assert all("c2VjcmV0" not in str(message.redacted()) for message in messages)


def test_a_stray_secret_and_its_echo_are_not_published() -> None:
    steps = [
        *HELLO,
        client(b"AUTH LOGIN\r\n"),
        server(b"504 no\r\n"),
        client(b"c2VjcmV0\r\n"),
        server(b"500 c2VjcmV0?\r\n"),
    ]
    messages = play(SmtpParser(), *steps)
    assert messages[-2] == SmtpCommand("UNKNOWN", "c2VjcmV0")
    assert messages[-2].redacted() == SmtpCommand("UNKNOWN", REDACTED)
    assert messages[-1] == SmtpReply(500, f"{REDACTED}?")


def test_a_mail_with_a_hole_is_told_as_incomplete_with_its_size() -> None:
    steps = [
        client(b"MAIL FROM:<a>\r\nDATA\r\nSubject: x\r\n\r\n12345"),
        lost(Side.CLIENT, 100),
        client(b"67\r\n.\r\n"),
    ]
    (mail,) = mails(steps)
    assert (mail.complete, mail.body_bytes) == (False, 109)


def test_a_mail_cut_off_by_the_end_is_told_as_incomplete() -> None:
    (mail,) = mails([client(b"MAIL FROM:<a>\r\nDATA\r\nSubject: x\r\n\r\n12345\r\n."), closes(Side.CLIENT)])
    assert (mail.complete, mail.body_bytes) == (False, 8)


def test_a_hole_inside_a_chunk_is_counted_as_part_of_it() -> None:
    steps = [client(b"BDAT 20 LAST\r\n\r\n12345678"), lost(Side.CLIENT, 5), client(b"12345QUIT\r\n")]
    messages = play(SmtpParser(), *steps)
    assert messages[-1] == SmtpCommand("QUIT")
    assert isinstance(messages[-2], SmtpMail)
    assert (messages[-2].body_bytes, messages[-2].complete) == (18, False)


def test_what_is_kept_of_a_mail_is_bounded() -> None:
    recipients = b"".join(b"RCPT TO:<%d@example.com>\r\n" % number for number in range(2 * MAX_RECIPIENTS))
    header = b"Subject: " + b"x" * 5000 + b"\r\n" + b" y\r\n" * 5000 + b"From: a\r\n" * 500
    (mail,) = mails([client(b"MAIL FROM:<a>\r\n" + recipients + b"DATA\r\n" + header + b"\r\n.\r\n")])
    assert len(mail.rcpt_to) == MAX_RECIPIENTS
    assert max(len(value) for _, value in mail.headers) <= MAX_HEADER_BYTES
    assert sum(len(value) for _, value in mail.headers) < 10_000


def test_what_is_not_smtp_is_given_up_with_a_reason() -> None:
    parser = SmtpParser()
    play(parser, server(b"no reply\r\n" * MAX_STRANGE_LINES))
    assert parser.poisoned


@pytest.mark.parametrize(
    ("side", "head", "match"),
    [
        (Side.SERVER, b"220 mail.example.com ESMTP Postfix\r\n", Match.YES),
        (Side.SERVER, b"220 ftp.example.com FTP\r\n", Match.NO),
        (Side.SERVER, b"220 ready\r\n", Match.MORE),
        (Side.SERVER, b"* OK IMAP4rev1\r\n", Match.NO),
        (Side.CLIENT, b"ehlo a.example.com\r\n", Match.YES),
        (Side.CLIENT, b"EHLO " + b"a" * 59, Match.YES),
        (Side.CLIENT, b"MAIL", Match.MORE),
        (Side.CLIENT, b"QUIT\r\n", Match.MORE),
        (Side.CLIENT, b"USER ana\r\n", Match.NO),
        (Side.CLIENT, b"SSH-2.0-x\r\n", Match.NO),
    ],
)
def test_content_tells_smtp_from_others(side: Side, head: bytes, match: Match) -> None:
    assert probe(side, head) is match


@given(SIZES)
def test_any_split_of_a_talk_gives_the_same_messages(sizes: list[int]) -> None:
    assert play(SmtpParser(), *cut(TALK, sizes)) == play(SmtpParser(), *TALK)


@given(any_steps(BYTES), SIZES)
def test_any_bytes_give_messages_and_never_an_error_however_split(steps: list[Step], sizes: list[int]) -> None:
    whole, pieces = SmtpParser(), SmtpParser()
    assert play(whole, *steps) == play(pieces, *cut(steps, sizes))
    assert whole.poisoned == pieces.poisoned


def test_an_endless_talk_is_held_only_up_to_the_bound() -> None:
    parser = SmtpParser()
    for start in (b"x", b"DATA\r\n", b"\r\n"):
        for _ in range(50):
            play(parser, client(start + b"x" * 4000), server(b"2" * 4000))
            assert parser.held_bytes <= 2 * (MAX_LINE_BYTES + 4001)
            start = b""
