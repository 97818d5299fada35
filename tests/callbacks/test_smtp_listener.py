"""The SMTP listener."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks.interaction import MAX_RAW_BYTES, SmtpInteraction
from lapwing.callbacks.responders import SmtpResponder
from lapwing.callbacks.responders.smtp import MAX_BAD_COMMANDS, MAX_MAIL_BYTES, MAX_MAILS, MAX_RECIPIENTS
from lapwing.events import Side
from lapwing.events.messages import REDACTED
from tests.callbacks.playbook import PEER, SIZES, TLS, Step, Talk, play, same_whichever_way_it_is_cut

SECRET = "correct horse battery staple"
# As Python's smtplib says it.
DELIVERY: list[Step] = [
    b"ehlo client.example.com\r\n",
    b"mail FROM:<ana@example.com> size=52\r\n",
    b"rcpt TO:<t0ken@oast.example.com>\r\n",
    b"data\r\n",
    b"Subject: hi\r\n\r\n..dotted\r\nlast\r\n.\r\n",
    b"quit\r\n",
]
PIECES = st.sampled_from(
    [
        b"EHLO x\r\n", b"HELO\r\n", b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@d>\r\n", b"DATA\r\n", b".\r\n", b".", b"\r\n",
        b"\n", b"AUTH LOGIN\r\n", b"AUTH PLAIN\r\n", b"AUTH PLAIN AGEAYg==\r\n", b"AGEAYg==\r\n", b"*\r\n",
        b"STARTTLS\r\n", b"RSET\r\n", b"QUIT\r\n", b"VRFY me\r\n", b"x" * 8200, b"\x00\xff\r", b"..\r\n", b"BDAT 3\r\n",
    ]
)  # fmt: skip
BYTES = st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=12).map(b"".join))


def make() -> SmtpResponder:
    return SmtpResponder(PEER, 0, name="mail.example.com")


def mails(talk: Talk) -> list[SmtpInteraction]:
    return [one for one in talk.noted if isinstance(one, SmtpInteraction)]


def test_a_mail_is_taken_with_its_whole_conversation() -> None:
    talk = play(make, DELIVERY)
    (mail,) = mails(talk)
    assert (mail.hello, mail.mail_from, mail.recipients) == (
        "client.example.com",
        "ana@example.com",
        ("t0ken@oast.example.com",),
    )
    assert mail.raw_request == b"Subject: hi\r\n\r\n.dotted\r\nlast\r\n"
    assert not mail.truncated
    said = b"".join(turn.data for turn in mail.turns if turn.side is Side.CLIENT)
    assert said == b"".join(step for step in DELIVERY[:-1] if isinstance(step, bytes))
    assert mail.turns[0].data == b"220 mail.example.com ESMTP\r\n"
    assert talk.closed == "quit"
    assert talk.heard.count(b"\r\n250") >= 4


@given(SIZES)
def test_a_mail_is_the_same_in_any_pieces(sizes: list[int]) -> None:
    same_whichever_way_it_is_cut(make, DELIVERY, sizes)


@pytest.mark.parametrize(
    "login",
    [
        [b"AUTH PLAIN " + base64.b64encode(f"\0ana\0{SECRET}".encode()) + b"\r\n"],
        [b"AUTH PLAIN\r\n", base64.b64encode(f"\0ana\0{SECRET}".encode()) + b"\r\n"],
        [b"auth login\r\n", base64.b64encode(b"ana") + b"\r\n", base64.b64encode(SECRET.encode()) + b"\r\n"],
        [b"AUTH LOGIN YW5h\r\n", base64.b64encode(SECRET.encode()) + b"\r\n"],
    ],
)
def test_everybody_is_let_in_and_no_secret_is_kept(login: list[Step]) -> None:
    talk = play(make, [b"EHLO x\r\n", *login, b"QUIT\r\n"])
    assert b"235 " in talk.heard
    (note,) = mails(talk)
    assert note.user == "ana"
    kept = b"".join(turn.data for turn in note.turns)
    assert REDACTED.encode() in kept
    assert base64.b64encode(SECRET.encode())[:20] not in kept
    assert SECRET.encode() not in kept


def test_a_login_cut_off_leaves_no_secret() -> None:
    for cut in ([b"AUTH PLAIN c2VjcmV0"], [b"AUTH LOGIN\r\n", b"c2VjcmV0"], [b"AUTH PLAIN " + b"c2VjcmV0" * 2000]):
        talk = play(make, cut)
        assert all(b"c2VjcmV0" not in turn.data for turn in mails(talk)[-1].turns)


def test_another_mechanism_and_a_cancelled_login_are_refused() -> None:
    talk = play(make, [b"AUTH CRAM-MD5\r\n", b"AUTH LOGIN\r\n", b"*\r\n", b"NOOP\r\n"])
    assert talk.heard.count(b"504 ") == 1
    assert b"501 5.7.0" in talk.heard
    assert talk.heard.endswith(b"250 2.0.0 Ok\r\n")


def test_starttls_begins_anew_and_what_was_sent_ahead_is_dropped() -> None:
    ahead: list[Step] = [b"EHLO a\r\nSTARTTLS\r\nMAIL FROM:<injected@example.com>\r\n", b"VRFY injected\r\n"]
    talk = play(make, [*ahead, TLS, *DELIVERY])
    (mail,) = mails(talk)
    assert mail.mail_from == "ana@example.com"
    assert mail.peer.tls
    assert mail.peer.sni == "mail.example.com"
    assert not any(b"injected" in turn.data for turn in mail.turns)
    assert talk.heard.count(b"STARTTLS") == 1  # not offered again


def test_starttls_can_be_left_out() -> None:
    talk = Talk(SmtpResponder(PEER, 0, name="mail.example.com", starttls=False))
    talk.say(b"EHLO x\r\nSTARTTLS\r\n")
    assert b"STARTTLS" not in talk.heard
    assert b"502 " in talk.heard


def test_several_mails_are_several_interactions() -> None:
    talk = play(make, [*DELIVERY[:-1], *DELIVERY[1:]])
    assert [mail.mail_from for mail in mails(talk)] == ["ana@example.com"] * 2


@pytest.mark.parametrize(
    "steps",
    [
        [b"EHLO t0ken.example.com\r\n"],
        [b"VRFY t0ken\r\n", b"QUIT\r\n"],
        [b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\n"],
        [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
        [b"no end"],
        [b"\x16\x03\x01\x02\x00"],
    ],
)
def test_who_sends_no_mail_is_noted_too(steps: list[Step]) -> None:
    (note,) = mails(play(make, steps))
    assert any(turn.side is Side.CLIENT for turn in note.turns)


def test_who_only_connects_is_not_noted() -> None:
    assert mails(play(make, [])) == []
    assert mails(play(make, [b"QUIT\r\n"])) == []


def test_a_mail_cut_off_is_kept_as_far_as_it_came() -> None:
    (mail,) = mails(play(make, [*DELIVERY[:4], b"Subject: cut\r\nand mo"]))
    assert mail.raw_request == b"Subject: cut\r\n"
    assert mail.malformed == "closed by the client"


def test_a_long_mail_is_counted_and_its_beginning_kept() -> None:
    line = b"y" * 50_000 + b"\r\n"
    (mail,) = mails(play(make, [*DELIVERY[:4], line * 3, b".\r\n"]))
    assert mail.request_bytes == 3 * len(line)
    assert mail.raw_request == (line * 3)[:MAX_RAW_BYTES]
    assert mail.truncated


def test_bounds_end_the_connection_in_words() -> None:
    talk = play(make, [*DELIVERY[:4], b"z" * (MAX_MAIL_BYTES + 8192)])
    assert b"552 " in talk.heard
    talk = play(make, [b"nonsense\r\n" * (MAX_BAD_COMMANDS + 5)])
    assert talk.heard.endswith(b"421 4.7.0 Too many errors\r\n")
    talk = play(make, [b"MAIL FROM:<>\r\n" + b"RCPT TO:<a@example.com>\r\n" * (MAX_RECIPIENTS + 1)])
    assert b"452 " in talk.heard
    assert len(mails(talk)[0].recipients) == MAX_RECIPIENTS
    talk = play(make, [b"".join(step for step in DELIVERY[1:5] if isinstance(step, bytes)) * (MAX_MAILS + 2)])
    assert len(mails(talk)) == MAX_MAILS
    assert b"421 4.7.0 Enough" in talk.heard


def test_out_of_order_commands_are_answered_sanely() -> None:
    talk = play(make, [b"DATA\r\nMAIL oops\r\nRCPT oops\r\nRSET\r\nHELP\r\nEXPN x\r\nMAIL FROM:<>\r\nRCPT TO: a@b\r\n"])
    codes = [line[:3] for line in bytes(talk.heard).splitlines()]
    assert codes == [b"220", b"503", b"501", b"501", b"250", b"250", b"252", b"250", b"250"]


@given(st.lists(BYTES, max_size=5), SIZES)
def test_any_bytes_in_any_pieces_are_the_same_and_bounded(steps: list[bytes], sizes: list[int]) -> None:
    same_whichever_way_it_is_cut(make, list(steps), sizes)
    talk = Talk(make())
    for step in steps:
        talk.say(step)
        assert talk.responder.held_bytes < 8192
