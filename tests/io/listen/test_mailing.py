"""Alerts by mail at a mail server nobody here wrote: STARTTLS, TLS from the start, logins, and what is refused."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from lapwing.callbacks.alerts import Tripped
from lapwing.events import SettingsError
from lapwing.io.listen.mailing import send_mail
from lapwing.io.listen.settings import AlertSettings
from lapwing.io.store import Letters
from tests.io.callbacks.server import certificate
from tests.io.listen.lab import DOMAIN, LOOPBACK, resolve, serving
from tests.io.listen.test_alerts import NAME, alerting, plant, settled

pytestmark = pytest.mark.anyio

USER, PASSWORD = "alerts@example.com", "correct horse"
ALERT = Tripped(
    channel="DNS",
    token_type="url",
    src_ip="192.0.2.7",
    src_data={},
    ts_ns=1,
    protocol="dns",
    token="abc",
    time="2026-11-21 09:00:00 (UTC)",
    memo="in the wiki",
)


class Post:
    """A mail server's side: what was taken, what logins were tried, what was said before TLS."""

    def __init__(self, *, refuse_recipient: str = "") -> None:
        self.mails: list[tuple[bool, bool, str]] = []  # over TLS, logged in, text
        self.logins: list[tuple[str, bool]] = []  # mechanism, over TLS
        self._refuse = refuse_recipient

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address == self._refuse:
            return "550 5.1.1 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        over_tls = session.ssl is not None or self.implicit
        self.mails.append((over_tls, bool(session.authenticated), envelope.content.decode()))
        return "250 taken"

    implicit = False

    def login(self, _server: SMTP, session: Session, _envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((mechanism, session.ssl is not None or self.implicit))
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)


@asynccontextmanager
async def serving_mail(
    post: Post, context: ssl.SSLContext | None, *, implicit: bool = False, auth: bool = True
) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    post.implicit = implicit

    def session() -> SMTP:
        return SMTP(
            post,
            hostname="mail.example.com",
            tls_context=None if implicit else context,
            authenticator=post.login if auth else None,
            auth_require_tls=not implicit,
            auth_exclude_mechanism=[] if auth else ["PLAIN", "LOGIN"],
            loop=loop,
        )

    server = await loop.create_server(session, LOOPBACK, 0, ssl=context if implicit else None)
    async with server:
        yield f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}"


def wanting(post: str, ca: Path | None, **more: Any) -> AlertSettings:
    return AlertSettings(
        mail_to=("soc@example.com",),
        mail_from="lapwing@example.com",
        mail_server=post,
        ca_file=str(ca or ""),
        timeout_s=10.0,
        **more,
    )


async def send(settings: AlertSettings) -> str:
    """Send one alert; returns why it was not taken."""
    tls = ssl.create_default_context(cafile=settings.ca_file or None)
    try:
        await asyncio.to_thread(send_mail, settings, tls, "soc@example.com", ALERT)
    except OSError as problem:
        return str(problem)
    return ""


async def test_an_alert_goes_over_starttls_and_after_a_login(tmp_path: Path) -> None:
    context, ca = certificate(tmp_path)
    post = Post()
    async with serving_mail(post, context) as place:
        assert await send(wanting(place, ca, mail_user=USER, mail_password=PASSWORD)) == ""
        assert await send(wanting(place, ca)) == ""
    (first, second) = post.mails
    assert first[:2] == (True, True)
    assert second[:2] == (True, False)
    assert "in the wiki" in first[2]
    assert [over_tls for _, over_tls in post.logins] == [True]


async def test_port_465_speaks_tls_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, ca = certificate(tmp_path)
    post = Post()
    async with serving_mail(post, context, implicit=True) as place:
        monkeypatch.setattr("lapwing.io.listen.mailing.IMPLICIT_TLS_PORT", int(place.rpartition(":")[2]))
        assert await send(wanting(place, ca, mail_user=USER, mail_password=PASSWORD)) == ""
    assert [mail[:2] for mail in post.mails] == [(True, True)]


async def test_a_server_without_starttls_gets_neither_mail_nor_password(tmp_path: Path) -> None:
    post = Post()
    async with serving_mail(post, None) as place:
        for more in ({}, {"mail_user": USER, "mail_password": PASSWORD}):
            said = await send(wanting(place, None, **more))
            assert said.startswith("STARTTLS extension not supported by server; without TLS nothing is sent")
        assert await send(wanting(place, None, mail_tls=False)) == ""
    assert post.logins == []
    assert [mail[:2] for mail in post.mails] == [(False, False)]


async def test_a_server_whose_certificate_nobody_vouches_for_gets_no_password(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    post = Post()
    async with serving_mail(post, context) as place:
        said = await send(wanting(place, None, mail_user=USER, mail_password=PASSWORD))
    assert "certificate is not trusted" in said
    assert "ca_file" in said
    assert (post.logins, post.mails) == ([], [])


@pytest.mark.parametrize("implicit", [False, True])
async def test_what_the_server_refuses_is_said_in_a_line_without_the_password(
    tmp_path: Path, implicit: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, ca = certificate(tmp_path)
    post = Post(refuse_recipient="soc@example.com")
    async with serving_mail(post, context, implicit=implicit) as place:
        if implicit:
            monkeypatch.setattr("lapwing.io.listen.mailing.IMPLICIT_TLS_PORT", int(place.rpartition(":")[2]))
        login = await send(wanting(place, ca, mail_user=USER, mail_password="wr0ng"))
        recipient = await send(wanting(place, ca, mail_user=USER, mail_password=PASSWORD))
    assert login.startswith("the mail server refused the login (mail_user, mail_password): 535 ")
    assert recipient == "the mail server refused the recipient: 550 5.1.1 no such person"
    assert not any("wr0ng" in said or PASSWORD in said or "\n" in said for said in (login, recipient))


async def test_a_login_at_a_server_that_takes_none_is_said(tmp_path: Path) -> None:
    context, ca = certificate(tmp_path)
    async with serving_mail(Post(), context, auth=False) as place:
        said = await send(wanting(place, ca, mail_user=USER, mail_password=PASSWORD))
    assert said


async def test_a_tripped_token_is_told_over_starttls_and_a_wrong_password_is_kept_with_its_reason(
    tmp_path: Path,
) -> None:
    context, ca = certificate(tmp_path)
    post = Post()
    async with serving_mail(post, context) as place:
        named: dict[str, Any] = {"mail_to": ("soc@example.com",), "mail_from": "a@example.com", "mail_server": place}
        right = alerting(tmp_path / "right", ca_file=str(ca), mail_user=USER, mail_password=PASSWORD, **named)
        async with serving(right) as collector:
            await plant(collector)
            await resolve(collector, f"{NAME}.{DOMAIN}")
            await settled(collector, delivered=1)
        wrong = alerting(
            tmp_path / "wrong", ca_file=str(ca), mail_user=USER, mail_password="wr0ng", tries_count=2, **named
        )
        async with serving(wrong) as collector:
            await plant(collector)
            await resolve(collector, f"{NAME}.{DOMAIN}")
            await settled(collector, dead=1)
            (letter,) = await Letters(collector.store).dead()
    assert [mail[:2] for mail in post.mails] == [(True, True)]
    assert letter.failure.startswith("the mail server refused the login")
    assert "wr0ng" not in letter.failure


@pytest.mark.parametrize(
    "wrong",
    [
        {"mail_user": USER},
        {"mail_password": PASSWORD},
        {"mail_user": USER, "mail_password": PASSWORD, "mail_tls": False},
        {"mail_server": "mail.example.com:submission"},
        {"mail_server": "smtp://mail.example.com"},
        {"mail_server": "mail.example.com:99999"},
        {"mail_server": f"{USER}:x@mail.example.com"},
    ],
)
def test_a_password_without_tls_and_servers_that_are_none_are_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"collector\.alerts") as refused:
        AlertSettings(**wrong)
    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("mail.example.com", ("mail.example.com", 587)),
        ("mail.example.com:25", ("mail.example.com", 25)),
        ("[2001:db8::1]:465", ("2001:db8::1", 465)),
    ],
)
def test_a_mail_server_is_a_host_and_perhaps_a_port(text: str, place: tuple[str, int]) -> None:
    assert AlertSettings(mail_server=text).mail_place == place
