"""Whose token it was: every listener, every place a token can stand in, in any letter case, with what surrounds it."""

import asyncio
import random
import ssl
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from lapwing.callbacks import Placement
from lapwing.callbacks.correlation import Place, correlate
from lapwing.io.listen import Collector
from lapwing.io.store import decode_payload
from lapwing.wire.ber import write, write_integer
from tests.io.listen.lab import DOMAIN, LOOPBACK, Client, get, resolve, serving, settings, talk

pytestmark = pytest.mark.anyio

CASES: dict[str, Callable[[str], str]] = {
    "as minted": str,
    "upper case": str.upper,
    "mixed case": lambda token: "".join(
        character.upper() if index % 2 else character for index, character in enumerate(token)
    ),
    "prefix": lambda token: f"pre{token}",
    "prefix label": lambda token: f"x.y.{token}",
    "suffix": lambda token: f"{token}-suf",
    "alphanumeric suffix": lambda token: f"{token}suf",
}


def mail(hello: str = "x", sender: str = "a@example.com", to: str = "b@example.com", content: str = "") -> bytes:
    envelope = f"EHLO {hello}\r\nMAIL FROM:<{sender}>\r\nRCPT TO:<{to}>\r\nDATA\r\n"
    return f"{envelope}Subject: x\r\n\r\n{content}\r\n.\r\nQUIT\r\n".encode()


def bind(name: str) -> bytes:
    return write(0x30, write_integer(1), write(0x60, write_integer(3), write(0x04, name.encode()), write(0x80, b"pw")))


def search(base: str, value: str = "x") -> bytes:
    condition = write(0xA3, write(0x04, b"uid"), write(0x04, value.encode()))
    fields = (write(0x0A, b"\2"), write(0x0A, b"\0"), write_integer(0), write_integer(0), write(0x01, b"\0"))
    return write(0x30, write_integer(2), write(0x63, write(0x04, base.encode()), *fields, condition, write(0x30)))


UNBIND = write(0x30, write_integer(3), write(0x42))
SAID: dict[str, tuple[str, Callable[[str], bytes], Placement]] = {
    "http host": ("http", lambda token: get(f"{token}.{DOMAIN}"), Placement.HTTP_HOST),
    "http path": ("http", lambda token: get("x", f"/a/{token}/b"), Placement.URL_PATH),
    "http query": ("http", lambda token: get("x", f"/?q={token}"), Placement.URL_QUERY),
    "http escaped": (
        "http", lambda token: get("x", "/" + "".join(f"%{ord(one):02x}" for one in token)), Placement.URL_PATH,
    ),
    "http header": ("http", lambda token: get("x", more=f"Origin: {token}.example\r\n"), Placement.HTTP_HEADER),
    "http body": (
        "http", lambda token: get("x", more=f"Content-Length: {len(token)}\r\n") + token.encode(), Placement.HTTP_BODY,
    ),
    "http absolute": ("http", lambda token: get("x", f"http://{token}.{DOMAIN}/"), Placement.HTTP_HOST),
    "mail domain": ("smtp", lambda token: mail(to=f"a@{token}.{DOMAIN}"), Placement.MAIL_DOMAIN),
    "mail local part": ("smtp", lambda token: mail(to=f"{token}@{DOMAIN}"), Placement.MAIL_LOCAL_PART),
    "mail plus": ("smtp", lambda token: mail(to=f"a+{token}@{DOMAIN}"), Placement.MAIL_LOCAL_PART),
    "mail sender": ("smtp", lambda token: mail(sender=f"a@{token}.{DOMAIN}"), Placement.MAIL_DOMAIN),
    "mail hello": ("smtp", lambda token: mail(hello=f"{token}.{DOMAIN}"), Placement.MAIL_HELLO),
    "mail user": (
        "smtp",
        lambda token: b"EHLO x\r\nAUTH PLAIN " + b64encode(f"\0{token}\0pw".encode()) + b"\r\nQUIT\r\n",
        Placement.MAIL_USER,
    ),
    "mail other command": ("smtp", lambda token: f"EHLO x\r\nVRFY {token}\r\nQUIT\r\n".encode(), Placement.OTHER),
    "mail content": ("smtp", lambda token: mail(content=f"see {token}"), Placement.MAIL_CONTENT),
    "ldap base": ("ldap", lambda token: search(f"dc={token},dc=example") + UNBIND, Placement.LDAP_BASE_DN),
    "ldap bind": ("ldap", lambda token: bind(f"cn={token},dc=example") + UNBIND, Placement.LDAP_BIND_DN),
    "ldap filter": ("ldap", lambda token: search("dc=example", token) + UNBIND, Placement.LDAP_FILTER),
    "ldap deletion": ("ldap", lambda token: write(0x30, write_integer(4), write(0x4A, f"cn={token}".encode())) + UNBIND,
                      Placement.LDAP_BASE_DN),
    "ftp other command": ("ftp", lambda token: f"SITE {token}\r\nQUIT\r\n".encode(), Placement.OTHER),
    "ftp user": ("ftp", lambda token: f"USER {token}\r\nQUIT\r\n".encode(), Placement.FTP_USER),
    "ftp path": ("ftp", lambda token: f"USER x\r\nPASS x\r\nCWD /{token}\r\nQUIT\r\n".encode(), Placement.FTP_PATH),
}  # fmt: skip


async def one_token(collector: Collector, client: Client) -> set[tuple[str, Placement]]:
    found = set()
    await collector.writer.barrier()
    opened = await collector.mailroom.interactions.after(
        collector.directory.mailbox_of(client.identity.correlation_id), 0
    )
    for entry in opened.entries:
        attribution = decode_payload(entry.payload).attribution
        assert attribution is not None
        found.add((attribution.unique_id, attribution.placement))
    return found


@pytest.mark.parametrize("place", SAID)
async def test_a_token_is_found_wherever_and_however_it_is_written(tmp_path: Path, place: str) -> None:
    door, said, placement = SAID[place]
    async with serving(settings(tmp_path)) as collector:
        for change in CASES.values():
            client = await Client(collector).register()
            await talk(collector.ports[door][0], said(change(client.unique_id)))
            assert await one_token(collector, client) == {(client.unique_id, placement)}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("tcp", [False, True])
async def test_a_token_is_found_in_any_name_that_is_asked_for(tmp_path: Path, case: str, tcp: bool) -> None:
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        await resolve(collector, f"{CASES[case](client.unique_id)}.{DOMAIN}", tcp=tcp)
        assert await one_token(collector, client) == {(client.unique_id, Placement.DNS_NAME)}


@pytest.mark.parametrize("case", CASES)
async def test_a_token_is_found_in_the_name_a_tls_client_asks_for(tmp_path: Path, case: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with serving(settings(tmp_path)) as collector:
        client = await Client(collector).register()
        for door in ("https", "smtps", "ldaps", "ftps"):
            name = f"{CASES[case](client.unique_id)}.{DOMAIN}"
            reader, writer = await asyncio.open_connection(
                LOOPBACK, collector.ports[door][0], ssl=context, server_hostname=name
            )
            writer.write({"https": get("x"), "ldaps": bind("cn=x") + UNBIND}.get(door, b"HELP\r\nQUIT\r\n"))
            await reader.read()
            writer.close()
            assert (client.unique_id, Placement.TLS_SNI) in await one_token(collector, client), door


async def test_random_names_belong_to_nobody(tmp_path: Path) -> None:
    chance = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    async with serving(settings(tmp_path)) as collector:
        for _ in range(20):
            await Client(collector).register()
        registry = collector.directory.registry
        for _ in range(20_000):
            name = "".join(chance.choices(letters, k=40))
            assert not correlate([Place(Placement.DNS_NAME, name)], registry)
