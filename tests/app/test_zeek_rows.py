"""Rows of single logs: what each is made of."""

from collections.abc import Iterable

import pytest

from lapwing.app.zeek.handshakes import SslRows
from lapwing.app.zeek.lookups import DnsRows
from lapwing.app.zeek.mails import SmtpRows, _split
from lapwing.app.zeek.places import is_local
from lapwing.app.zeek.rows import HttpRows, Row, Rows, SshRows
from lapwing.app.zeek.services import DhcpLeases, LdapRows
from lapwing.app.zeek.transfers import MAX_CHANNELS, DataChannels, FtpRows, _of_extended
from lapwing.events import Message, SessionMessaged, Side, Transport
from lapwing.events.messages import (
    DnsQuery,
    DnsQuestion,
    DnsRecord,
    DnsResponse,
    FtpCommand,
    FtpReply,
    HttpRequest,
    HttpResponse,
    SmtpCommand,
    SmtpMail,
    SmtpReply,
    SshBanner,
)
from lapwing.events.messages.dhcp import DhcpPacket
from lapwing.events.messages.ldap import LdapRequest
from lapwing.events.messages.tls import TlsCertificates
from lapwing.protocols.tls.parser import MAX_HISTORY_LETTERS
from lapwing.testing import START_NS

CLIENT, SERVER = "192.0.2.7", "8.8.8.8"


def said(side: Side, message: Message, *, after_ns: int = 0, client: str = CLIENT) -> SessionMessaged:
    return SessionMessaged(
        START_NS + after_ns, 1, "1:x", Transport.TCP, client, 40_000, SERVER, 21, "any", side, message
    )


def told(rows: Rows, talk: Iterable[tuple[Side, Message]]) -> list[Row]:
    found = [row for side, message in talk for row in rows.add(said(side, message))]
    return [*found, *rows.end()]


def ftp(*talk: str) -> list[Row]:
    """`> VERB argument` and `< code text`, behind the greeting."""
    messages: list[tuple[Side, Message]] = [(Side.SERVER, FtpReply(220, "hi"))]
    for line in talk:
        word, _, rest = line[2:].partition(" ")
        asked = line.startswith(">")
        messages.append((Side.CLIENT, FtpCommand(word, rest)) if asked else (Side.SERVER, FtpReply(int(word), rest)))
    first, *rows = told(FtpRows(DataChannels()), messages)
    assert first["command"] == "<init>"
    return rows


def test_a_command_is_one_row_with_its_last_reply() -> None:
    (row,) = ftp("> RETR a.txt", "< 150 Opening (77 bytes).", "< 226 Done.")
    assert (row["reply_code"], row["reply_msg"], row["file_size"]) == (226, "Done.", 77)
    assert row["arg"] == "ftp://8.8.8.8/./a.txt"


def test_files_are_named_from_the_working_directory() -> None:
    rows = ftp("> CWD /pub", "< 250 ok", "> CWD b", "< 250 ok", "> CDUP", "< 250 ok", "> RETR x", "< 226 ok")
    assert rows[-1]["arg"] == "ftp://8.8.8.8/pub/x"
    told_where = ftp("> PWD", '< 257 "/home/ana" is it', "> DELE /y", "< 250 ok", "> SIZE z", "< 213 12")
    assert [row["arg"] for row in told_where[1:]] == ["ftp://8.8.8.8/y", "ftp://8.8.8.8/home/ana/z"]
    assert told_where[-1]["file_size"] == 12


def test_passwords_are_hidden_and_follow_the_session() -> None:
    rows = ftp("> USER ana", "< 331 go on", "> PASS lapwing", "< 230 ok", "> SYST", "< 215 UNIX")
    assert [(row["arg"], row["password"]) for row in rows] == [
        ("ana", None),
        ("<hidden>", "<hidden>"),
        (None, "<hidden>"),
    ]


@pytest.mark.parametrize(
    ("talk", "channel"),
    [
        (("> PASV", "< 227 Entering (8,8,8,8,4,1)."), (True, CLIENT, "8.8.8.8", 1025)),
        (("> EPSV", "< 229 Entering (|||1025|)"), (True, CLIENT, SERVER, 1025)),
        (("> PORT 192,0,2,7,4,1", "< 200 ok"), (False, SERVER, CLIENT, 1025)),
        (("> EPRT |2|2001:DB8::1|1025|", "< 200 ok"), (False, SERVER, "2001:db8::1", 1025)),
    ],
)
def test_data_channels_are_named_however_they_are_agreed_on(
    talk: tuple[str, ...], channel: tuple[bool, str, str, int]
) -> None:
    (row,) = ftp(*talk)
    assert tuple(row[f"data_channel.{name}"] for name in ("passive", "orig_h", "resp_h", "resp_p")) == channel


@pytest.mark.parametrize("talk", ["> PORT 1,2,3", "> PORT 1,2,3,4,5,999", "> EPRT |9|x|1|", "> EPRT |1|8.8.8.8|99999|"])
def test_places_that_make_no_sense_are_none(talk: str) -> None:
    (row,) = ftp(talk, "< 500 no")
    assert "data_channel.resp_p" not in row


def test_announced_channels_are_bounded_and_taken_once() -> None:
    channels, session = DataChannels(), FtpRows(DataChannels())
    for port in range(MAX_CHANNELS + 1):
        channels.announce(("192.0.2.1", port), session)
    assert channels.take(("192.0.2.1", 0)) is None
    assert channels.take(("192.0.2.1", 1)) is session
    assert channels.take(("192.0.2.1", 1)) is None


def test_a_mail_names_who_got_it_and_its_way() -> None:
    headers = [
        ("To", '"Doe, Ana" <ana@example.com>, ben@example.com'),
        ("Cc", "eve@example.com"),
        ("Received", "from a (a [192.0.2.1]) by b"),
        ("Received", "from c ([198.51.100.1]) by d ([198.51.100.2])"),
        ("X-Originating-IP", "[203.0.113.5]"),
    ]
    mail = SmtpMail("z@example.com", ["ana@example.com"], headers, 12)
    (row,) = told(SmtpRows(), [(Side.CLIENT, SmtpCommand("DATA")), (Side.CLIENT, mail)])
    assert row["to"] == ('"Doe, Ana" <ana@example.com>', "ben@example.com")
    assert (row["cc"], row["x_originating_ip"]) == (("eve@example.com",), "203.0.113.5")
    assert row["path"] == (SERVER, CLIENT, "192.0.2.1", "198.51.100.2")
    assert (row["second_received"], row["first_received"]) == (headers[2][1], headers[3][1])


def test_a_mail_server_that_goes_over_to_tls_says_so() -> None:
    talk: list[tuple[Side, Message]] = [
        (Side.SERVER, SmtpReply(220, "hi")),
        (Side.CLIENT, SmtpCommand("STARTTLS")),
        (Side.SERVER, SmtpReply(220, "go")),
    ]
    assert [row["tls"] for row in told(SmtpRows(), talk)] == [True]
    assert [row["tls"] for row in told(SmtpRows(), [*talk[:2], (Side.SERVER, SmtpReply(454, "no"))])] == [False]


def dns(*answers: DnsRecord, authorities: int = 0) -> Row:
    query = DnsQuery(7, 0, [DnsQuestion("example.com", "ANY")], checking_disabled=True, authentic_data=True)
    rows = DnsRows()
    assert list(rows.add(said(Side.CLIENT, query))) == []
    answer = DnsResponse(7, 0, 0, query.questions, list(answers), authority_count=authorities, authoritative=True)
    (row,) = rows.add(said(Side.SERVER, answer, after_ns=1_000_000))
    return row


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("MX", "10 mail.example.com.", "mail.example.com"),
        ("SRV", "0 5 5060 sip.example.com.", "sip.example.com"),
        ("SOA", "ns.example.com. root.example.com. 1 2 3 4 5", "ns.example.com"),
        ("TXT", '"v=spf1 -all" "a\\"b"', 'TXT 11 v=spf1 -all TXT 3 a"b'),
        ("DS", "18463 5 1 0c45", "DS 5 1"),
        ("DNSKEY", "257 3 5 AwEA", "DNSKEY 5"),
        ("SSHFP", "1 1 a6b9", "SSHFP: a6b9"),
        ("NAPTR", '1 2 "s" "SIP" "" x.example.com', "NAPTR 1 2 s SIP x.example.com"),
        ("RRSIG", "\\# 21 000105" + "00" * 15 + "016100", "RRSIG 1 a"),
        ("MX", "\\# 1 00", "\\# 1 00"),
    ],
)
def test_records_are_written_as_that_program_does(kind: str, data: str, text: str) -> None:
    assert dns(DnsRecord("example.com", kind, 60, data))["answers"] == (text,)


def test_what_only_answers_with_records_have_is_unset_without() -> None:
    row = dns(authorities=1)
    assert (row["AA"], row.get("rtt"), row.get("answers"), row["rejected"]) == (False, None, None, False)
    assert dns()["rejected"] is True
    full = dns(DnsRecord("example.com", "A", 60, "192.0.2.1"))
    assert (full["AA"], full["rtt"], full["Z"], full["TTLs"]) == (True, 0.001, 3, ("60.000000",))


def test_proxies_and_provisional_answers_are_named() -> None:
    asked = HttpRequest("GET", "/", "1.1", [("Via", "1.1 a"), ("X-Forwarded-For", "192.0.2.9")])
    answered = HttpResponse(101, "Switching Protocols", "1.1", [])
    (row,) = told(HttpRows(), [(Side.CLIENT, asked), (Side.SERVER, answered)])
    assert row["proxied"] == ("VIA -> 1.1 a", "X-FORWARDED-FOR -> 192.0.2.9")
    assert (row["info_code"], row["status_code"]) == (101, 101)


@pytest.mark.parametrize(
    ("client", "server", "version"),
    [("SSH-2.0-a", "SSH-1.99-b", 2), ("SSH-1.5-a", "SSH-1.99-b", 1), ("SSH-1.5-a", "SSH-2.0-b", 0)],
)
def test_the_version_is_one_that_both_speak(client: str, server: str, version: int) -> None:
    banners = [(Side.SERVER, SshBanner(server)), (Side.CLIENT, SshBanner(client))]
    (row,) = told(SshRows(), banners)
    assert (row["version"], row["direction"]) == (version, "OUTBOUND")
    (half,) = told(SshRows(), banners[:1])
    assert half["version"] is None


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("10.1.2.3", True), ("172.31.0.1", True), ("172.32.0.1", False), ("8.8.8.8", False), ("fe80::1", True),
        ("2001:4860::1", False), ("2002:a01:203::1", True), ("2002:808:808::1", False), ("224.0.0.9", True),
        ("239.0.0.1", False),
    ],
)  # fmt: skip
def test_addresses_of_a_site_are_those_that_are_not_routed(address: str, local: bool) -> None:
    assert is_local(address) is local


def test_a_transaction_of_many_messages_goes_on_in_another_row() -> None:
    leases = DhcpLeases(max_types=2)
    packet = DhcpPacket(type="inform", transaction_id=7, client_mac="00:00:5e:00:53:01")
    found = [row for number in range(5) for row in leases.add(said(Side.CLIENT, packet), f"C{number}")]
    assert [row["msg_types"] for row in (*found, *leases.end())] == [("INFORM", "INFORM")] * 2 + [("INFORM",)]


def test_operations_nobody_answers_are_told_at_once() -> None:
    (row,) = LdapRows().add(said(Side.CLIENT, LdapRequest(4, "unbind")))
    assert row["opcode"] == "unbind"
    (named,) = told(LdapRows(), [(Side.CLIENT, LdapRequest(5, "extended", "1.3.6.1.4.1.1466.20037"))])
    assert named["object"] == "1.3.6.1.4.1.1466.20037 (StartTLS)"


def test_addresses_are_split_at_commas_outside_quotes_in_one_pass() -> None:
    assert list(_split('"Doe, Jane" <jane@example.com>, bob@example.com,')) == [
        '"Doe, Jane" <jane@example.com>',
        "bob@example.com",
    ]
    assert len(list(_split(',"' * 500_000))) == 250_000
    assert len(list(_split("a," * 500_000))) == 500_000


def test_a_reply_full_of_delimiters_names_no_place_for_data() -> None:
    assert _of_extended("Entering Extended Passive Mode (|||40000|)", "192.0.2.1") == ("192.0.2.1", 40_000)
    assert _of_extended("[" * 1_000_000, "192.0.2.1") is None


@pytest.mark.parametrize("beyond", [0, 1, 50])
def test_the_history_of_a_handshake_that_repeats_itself_is_cut(beyond: int) -> None:
    talk = [(Side.SERVER, TlsCertificates([]))] * (MAX_HISTORY_LETTERS + beyond)
    (row,) = told(SslRows(), talk)
    assert row["ssl_history"] == "x" * MAX_HISTORY_LETTERS
