"""Logins over SMTP."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import AuthEvent, AuthResolved, Outcome
from lapwing.logins import sasl
from lapwing.protocols.smtp import SmtpParser
from tests.logins.lines import TAGGER, ended, logins, published, text
from tests.protocols.playbook import SIZES, Step, client, cut, server

HELLO = [server(b"220 mail.example.com ESMTP\r\n"), client(b"EHLO a.example.com\r\n"), server(b"250 ok\r\n")]
PLAIN = b64encode(b"\0Ana@example.com\0hunter2")
SECRETS = ("hunter2", PLAIN.decode(), b64encode(b"hunter2").decode())


def smtp(*steps: Step) -> list[AuthEvent]:
    return logins("smtp", SmtpParser(), *HELLO, *steps)


def resolved(events: list[AuthEvent]) -> AuthResolved:
    (event,) = [event for event in events if isinstance(event, AuthResolved)]
    return event


@pytest.mark.parametrize(
    "talk",
    [
        [client(b"AUTH PLAIN " + PLAIN + b"\r\n")],
        [client(b"auth plain\r\n"), server(b"334 \r\n"), client(PLAIN + b"\r\n")],
    ],
)
def test_plain_tells_user_and_secret(talk: list[Step]) -> None:
    events = smtp(*talk, server(b"235 2.7.0 ok\r\n"))
    login = resolved(events)
    assert (login.username, login.mechanism, login.outcome) == ("ana@example.com", "plain", Outcome.SUCCEEDED)
    assert login.secret_tag == TAGGER.tag("hunter2")
    assert not [secret for secret in SECRETS if secret in text(events)]


@pytest.mark.parametrize("initial", [True, False])
def test_login_tells_user_and_secret(initial: bool) -> None:
    user, password = b64encode(b"ana"), b64encode(b"hunter2")
    begin = [client(b"AUTH LOGIN " + user + b"\r\n")]
    if not initial:
        begin = [client(b"AUTH LOGIN\r\n"), server(b"334 VXNlcm5hbWU6\r\n"), client(user + b"\r\n")]
    events = smtp(*begin, server(b"334 UGFzc3dvcmQ6\r\n"), client(password + b"\r\n"), server(b"535 no\r\n"))
    login = resolved(events)
    assert (login.username, login.mechanism, login.outcome) == ("ana", "login", Outcome.FAILED)
    assert login.secret_tag == TAGGER.tag(b"hunter2")
    assert not [secret for secret in SECRETS if secret in text(events)]


def test_the_same_password_has_the_same_tag_whatever_the_mechanism() -> None:
    plain = resolved(smtp(client(b"AUTH PLAIN " + PLAIN + b"\r\n"), server(b"535 no\r\n")))
    begin = [client(b"AUTH LOGIN YW5h\r\n"), server(b"334 x\r\n")]
    login = resolved(smtp(*begin, client(b64encode(b"hunter2") + b"\r\n"), server(b"535 no\r\n")))
    assert plain.secret_tag == login.secret_tag


def test_cram_md5_tells_the_user_only() -> None:
    answer = b64encode(b"ana 9f2b6f0a1c4d5e6f708192a3b4c5d6e7")
    events = smtp(
        client(b"AUTH CRAM-MD5\r\n"), server(b"334 PDEyMz4=\r\n"), client(answer + b"\r\n"), server(b"535 no\r\n")
    )
    login = resolved(events)
    assert (login.username, login.mechanism, login.secret_tag) == ("ana", "cram-md5", None)


@pytest.mark.parametrize(
    ("mechanism", "line", "username"),
    [
        ("xoauth2", b"user=ana@example.com\1auth=Bearer hunter2\1\1", "ana@example.com"),
        ("oauthbearer", b"n,a=ana@example.com,\1host=x\1auth=Bearer hunter2\1\1", "ana@example.com"),
        ("scram-sha-256", b"n,,n=ana,r=nonce", "ana"),
        ("scram-sha-256-plus", b"p=tls-unique,a=zoe,n=ana,r=nonce", "ana"),
        ("scram-sha-1", b"y,,m=later,n=ana,r=nonce", "ana"),
        ("scram-sha-256", b"c=biws,r=nonce,x=n,,n=zoe,p=cHJvb2Y=", None),
        ("digest-md5", b'charset=utf-8,username="ana",realm="x"', "ana"),
        ("plain", b"zoe\0ana\0hunter2", "ana"),
        ("plain", b"zoe\0\0hunter2", "zoe"),
        ("plain", b"broken", None),
        ("gssapi", b"anything", None),
    ],
)
def test_a_line_of_an_exchange_tells_who(mechanism: str, line: bytes, username: str | None) -> None:
    said = sasl.read(mechanism, line)
    assert said.username == username
    assert said.secret in (None, b"hunter2")


def test_a_long_line_of_an_exchange_is_gone_through_once() -> None:
    for line in (b"n" * 1_000_000, b"n," * 500_000, b'username="' * 100_000):
        assert sasl.read("scram-sha-256", line).username is None
        assert sasl.read("digest-md5", line).username in (None, "username=")


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (b"235 ok\r\n", "succeeded"),
        (b"535 5.7.8 no\r\n", "failed"),
        (b"534 5.7.9 too weak\r\n", "failed"),
        (b"534 5.7.9 Application-specific password required\r\n", "challenged"),
        (b"432 4.7.12 transition\r\n", "challenged"),
        (b"535 5.7.8 account locked\r\n", "locked"),
        (b"421 too many failed logins\r\n", "locked"),
        (b"454 4.7.0 later\r\n", "unknown"),
        (b"538 5.7.11 encryption required\r\n", "unknown"),
        (b"504 5.5.4 no such mechanism\r\n", "unknown"),
    ],
)
def test_the_reply_tells_the_outcome(reply: bytes, outcome: str) -> None:
    assert ended(smtp(client(b"AUTH PLAIN " + PLAIN + b"\r\n"), server(reply))) == [
        ("ana@example.com", "plain", outcome)
    ]


def test_a_refused_mechanism_is_no_login() -> None:
    assert smtp(client(b"AUTH LOGIN\r\n"), server(b"504 no\r\n")) == []


def test_a_user_refused_before_the_password_is_a_failed_login() -> None:
    steps = [client(b"AUTH LOGIN\r\n"), server(b"334 x\r\n"), client(b"YW5h\r\n"), server(b"535 no such user\r\n")]
    assert ended(smtp(*steps)) == [("ana", "login", "failed")]


def test_a_cancelled_exchange_is_no_login() -> None:
    steps = [client(b"AUTH LOGIN\r\n"), server(b"334 x\r\n"), client(b"*\r\n"), server(b"501 cancelled\r\n")]
    assert smtp(*steps) == []


def test_each_try_of_a_connection_is_one_login() -> None:
    tries = [client(b"AUTH PLAIN " + PLAIN + b"\r\n"), server(b"535 no\r\n")] * 5
    assert ended(smtp(*tries)) == [("ana@example.com", "plain", "failed")] * 5


def test_a_login_whose_reply_never_came_is_unknown() -> None:
    assert ended(smtp(client(b"AUTH PLAIN " + PLAIN + b"\r\n"))) == [("ana@example.com", "plain", "unknown")]


def test_the_word_of_a_reply_to_mail_is_no_login() -> None:
    assert smtp(client(b"MAIL FROM:<a@example.com>\r\n"), server(b"530 5.7.0 log in first\r\n")) == []


@given(SIZES)
def test_any_split_gives_the_same_logins(sizes: list[int]) -> None:
    steps = [client(b"AUTH LOGIN YW5h\r\n"), server(b"334 x\r\n"), client(b"aHVudGVyMg==\r\n"), server(b"535 no\r\n")]
    assert ended(smtp(*cut(steps, sizes))) == ended(smtp(*steps))


CLIENT_LINES = [b"AUTH PLAIN " + PLAIN, b"AUTH PLAIN", PLAIN, b"AUTH LOGIN", b"YW5h", b"*", b"=", b"EHLO x"]
SERVER_LINES = [b"250 x", b"334 x", b"235 x", b"535 x", b"454 x", b"500 what?"]
STEP = st.one_of(
    st.sampled_from(CLIENT_LINES).map(lambda line: client(line + b"\r\n")),
    st.sampled_from(SERVER_LINES).map(lambda line: server(line + b"\r\n")),
)
# A secret where the protocol has the user name cannot be told from one, so the line with it follows a user name.
DIALOGUE = [client(b"AUTH LOGIN YW5h\r\n"), server(b"334 x\r\n"), client(b"aHVudGVyMg==\r\n"), server(b"535 x\r\n")]
BLOCK = st.one_of(STEP.map(lambda step: [step]), st.integers(1, len(DIALOGUE)).map(lambda end: DIALOGUE[:end]))


@given(st.lists(BLOCK, max_size=30))
def test_no_order_of_lines_breaks_the_pairing_or_shows_a_secret(blocks: list[list[Step]]) -> None:
    steps = [step for block in blocks for step in block]
    shown = text(smtp(*steps)) + published(SmtpParser(), *HELLO, *steps)
    assert not [secret for secret in SECRETS if secret in shown]


def test_a_secret_quoted_by_the_server_is_hidden() -> None:
    shown = published(
        SmtpParser(), *HELLO, client(b"AUTH PLAIN " + PLAIN + b"\r\n"), server(b"501 " + PLAIN + b"?\r\n")
    )
    assert PLAIN.decode() not in shown
