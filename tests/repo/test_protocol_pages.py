"""Every protocol has a page that says what is seen, what is not, on what evidence, within what limits."""

import re
from pathlib import Path
from typing import get_args

import pytest

from lapwing.events import Message
from lapwing.logins import ftp as ftp_logins
from lapwing.logins import http as http_logins
from lapwing.logins import imap as imap_logins
from lapwing.logins import ldap as ldap_logins
from lapwing.logins import pop3 as pop3_logins
from lapwing.logins.http_fields import MAX_INFLATED_BYTES
from lapwing.protocols import (
    DATAGRAM_PROTOCOLS,
    ICMP,
    STREAM_PROTOCOLS,
    dhcp,
    dns,
    dns_tcp,
    ftp,
    imap,
    ldap,
    ldap_search,
    lines,
    mail,
    ntp,
    pop3,
    smtp,
    websocket,
)
from lapwing.protocols.http import bodies, heads, reader, sides
from lapwing.protocols.quic import crypto
from lapwing.protocols.quic import parser as quic
from lapwing.protocols.ssh import clear
from lapwing.protocols.tls import certificates, hello, records
from lapwing.protocols.tls.parser import MAX_HISTORY_LETTERS
from lapwing.wire.dns import MAX_QUESTIONS

PAGES = Path(__file__).parents[2] / "docs" / "reference" / "protocols"
NAMES = sorted({one.name for one in STREAM_PROTOCOLS} | {one.name for one in (*DATAGRAM_PROTOCOLS, ICMP)})
HEADS = ("**Seen.**", "**Messages.**", "**Not seen.**", "**Evidence.**", "**Limits.**", "**RFCs.**")


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_has_a_page_with_every_part(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert [head for head in HEADS if head not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_has_a_fuzz_target(name: str) -> None:
    assert (PAGES.parents[2] / "fuzz" / f"fuzz_{name}.py").exists()


def test_the_reference_leads_to_every_page() -> None:
    index = (PAGES.parent / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"(protocols/{name}.md)" not in index] == []


KINDS = {one.__struct_config__.tag for one in get_args(Message)}
OF_TLS_IN_QUIC = {"tls.client_hello", "tls.server_hello"}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_names_every_kind_of_message_of_its_protocol_and_no_other(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    part = text.partition("**Messages.**")[2].partition("**Not seen.**")[0]
    own = {kind for kind in KINDS if kind.startswith(f"{name}.")}
    assert set(re.findall(r"`([a-z0-9]+\.[a-z_]+)`", part)) == own | (OF_TLS_IN_QUIC if name == "quic" else set())


def kib(size: int) -> str:
    assert size % 1024 == 0
    return f"{size // 1024} KiB"


LIMITS = {
    "dhcp": [f"{dhcp.MAX_BAD_DATAGRAMS} datagrams in a row"],
    "dns": [
        f"{MAX_QUESTIONS} questions a message",
        f"{dns.MAX_PENDING} unanswered queries a flow",
        f"{dns.MAX_BAD_DATAGRAMS} messages in a row",
        f"a first query of over {kib(dns_tcp.MAX_FIRST_QUERY_BYTES)}",
        f"a first answer of over {kib(dns_tcp.MAX_FIRST_ANSWER_BYTES)}",
        {10: "ten seconds after the query"}[dns.UNANSWERED_AFTER_NS // 10**9],
    ],
    "ftp": [
        f"{kib(lines.MAX_LINE_BYTES)} a line",
        f"{ftp.MAX_STRANGE_LINES} strange lines",
        f"{ftp_logins.MAX_PENDING} tries waiting",
    ],
    "http": [
        f"{kib(reader.MAX_HEAD_BYTES)} a head, of which {heads.MAX_HEADERS} headers",
        f"{kib(bodies.MAX_BODY_BYTES)} kept of a body",
        f"{sides.MAX_PENDING} requests waiting for an answer, {http_logins.MAX_PENDING} of them logins",
        f"{kib(bodies.MAX_CHUNK_LINE_BYTES)} the line of a chunk",
        f"{kib(MAX_INFLATED_BYTES)} of an unpacked answer",
        f"first line has {kib(reader.MAX_START_LINE_BYTES)}",
    ],
    "icmp": [],
    "imap": [
        f"{kib(lines.MAX_LINE_BYTES)} a line",
        f"{kib(imap.MAX_COMMAND_BYTES)} and {imap.MAX_LITERALS} literals a command",
        f"{imap_logins.MAX_PENDING} tries and {imap.MAX_PENDING} commands waiting for answers",
        f"{imap.MAX_STRANGE_LINES} strange lines",
    ],
    "ldap": [
        f"Messages over {kib(ldap.MAX_MESSAGE_BYTES)} are skipped, over {ldap.MAX_SKIPPED_BYTES >> 20} MiB end",
        f"names and texts have {ldap.MAX_TEXT_CHARS:,} characters",
        f"{ldap_logins.MAX_PENDING} binds and {ldap.MAX_PENDING} requests waiting",
        f"{ldap_search.MAX_FILTER_CHARS:,} characters of text, {ldap_search.MAX_FILTER_DEPTH} filters deep",
        f"{ldap_search.MAX_ATTRIBUTES} attributes",
    ],
    "ntp": [f"{ntp.MAX_BAD_DATAGRAMS} datagrams in a row"],
    "pop3": [
        f"{kib(lines.MAX_LINE_BYTES)} a line",
        f"{pop3.MAX_PENDING_COMMANDS} commands waiting for replies, logins among the last {pop3_logins.MAX_PENDING}",
        f"{pop3.MAX_STRANGE_LINES} strange lines",
    ],
    "quic": [
        f"{quic.MAX_DATAGRAMS} datagrams without an answer",
        f"{kib(crypto.MAX_CRYPTO_BYTES)} of handshake and {crypto.MAX_PIECES} pieces",
    ],
    "smtp": [
        f"{kib(lines.MAX_LINE_BYTES)} a line, {smtp.MAX_PENDING_COMMANDS} commands waiting",
        f"{smtp.MAX_STRANGE_LINES} strange lines",
        f"{mail.MAX_RECIPIENTS} recipients and {mail.MAX_HEADERS} header fields of {kib(mail.MAX_HEADER_BYTES)}",
        f"its header ends after {kib(mail.MAX_HEADER_SECTION_BYTES)}",
    ],
    "ssh": [
        f"{clear.MAX_BANNER_BYTES} bytes of identification",
        f"{kib(clear.MAX_PACKET_BYTES)} a packet before encryption",
        f"{kib(clear.MAX_KEXINIT_BYTES)} an offer",
        f"{kib(clear.MAX_PREAMBLE_BYTES)} of lines",
    ],
    "tls": [
        f"A record of over {kib(records.MAX_RECORD_BYTES)}",
        f"a handshake message of over {kib(records.MAX_HANDSHAKE_BYTES)}",
        f"{hello.MAX_EXTENSIONS} extensions, {certificates.MAX_CERTIFICATES} certificates a chain",
        f"{certificates.MAX_NAMES} alternative names",
        f"{MAX_HISTORY_LETTERS} letters of history",
    ],
    "websocket": [{40: "over a terabyte"}[websocket.MAX_FRAME_BYTES.bit_length() - 1]],
}


@pytest.mark.parametrize("name", NAMES)
def test_the_limits_of_a_page_are_those_of_the_code(name: str) -> None:
    text = " ".join((PAGES / f"{name}.md").read_text(encoding="utf-8").split())
    assert [limit for limit in LIMITS[name] if limit not in text] == []
