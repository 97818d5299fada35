"""A stream that goes on as another protocol is read on as that."""

from pathlib import Path

import pytest

import lapwing
from lapwing.events import IdentifiedBy, SessionEnded, SessionEndReason, SessionIdentified, SessionMessaged
from lapwing.events.messages.tls import TlsClientHello, TlsServerHello, TlsUnfinished
from lapwing.testing import TcpConversation, pcap
from tests.protocols.ldap_bytes import result, start_tls
from tests.protocols.tls_bytes import client_hello, record, server_hello, server_name

HELLO = record(22, client_hello(server_name("mail.example.com")))
ANSWER = record(22, server_hello())

BEGINNINGS = {
    "smtp": [(1, b"220 mail.example.com ESMTP\r\n"), (0, b"STARTTLS\r\n"), (1, b"220 go\r\n")],
    "ftp": [(1, b"220 FTP ready\r\n"), (0, b"AUTH TLS\r\n"), (1, b"234 go\r\n")],
    "pop3": [(1, b"+OK ready\r\n"), (0, b"STLS\r\n"), (1, b"+OK go\r\n")],
    "imap": [(1, b"* OK ready\r\n"), (0, b"a STARTTLS\r\n"), (1, b"a OK go\r\n")],
    "ldap": [(0, start_tls(1)), (1, result(1, 0, tag=0x78))],
}


def read(path: Path, beginning: list[tuple[int, bytes]]) -> tuple[list[lapwing.events.Event], dict[str, int]]:
    talk = TcpConversation(server_port=9999).handshake()
    for side, data in beginning:
        (talk.server if side else talk.client)(data)
    path.write_bytes(pcap(talk.client(HELLO).server(ANSWER).close().frames))
    with lapwing.read(path, events=("session",)) as reading:
        return list(reading), reading.statistics()


@pytest.mark.parametrize("protocol", BEGINNINGS)
def test_what_follows_start_tls_is_read_as_tls(protocol: str, tmp_path: Path) -> None:
    events, counters = read(tmp_path / "capture.pcap", BEGINNINGS[protocol])
    begun = [(one.protocol, one.evidence) for one in events if isinstance(one, SessionIdentified)]
    assert begun == [(protocol, IdentifiedBy.CONTENT), ("tls", IdentifiedBy.HANDOVER)]
    ended = [(one.protocol, one.reason) for one in events if isinstance(one, SessionEnded)]
    assert ended == [(protocol, SessionEndReason.DONE), ("tls", SessionEndReason.CLOSED)]
    hellos = [one.message for one in events if isinstance(one, SessionMessaged) and one.protocol == "tls"]
    assert [type(one) for one in hellos] == [TlsClientHello, TlsServerHello, TlsUnfinished]
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"] == 2
    assert counters["sessions.encrypted"] == 1


def test_a_consent_that_is_seen_only_at_the_end_leaves_no_parser_behind(tmp_path: Path) -> None:
    talk = TcpConversation(server_port=25).handshake().server(b"220 ESMTP\r\n").client(b"STARTTLS\r\n")
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap(talk.server(b"220 go").close().frames))
    with lapwing.read(path, events=()) as reading:
        list(reading)
        counters = reading.statistics()
    assert counters["sessions.parsers_created"] == counters["sessions.parsers_ended"]


def test_a_websocket_is_read_on_as_one_and_what_connect_opened_as_what_it_is(tmp_path: Path) -> None:
    asked = b"GET /chat HTTP/1.1\r\nHost: www.example.com\r\nUpgrade: websocket\r\n\r\n"
    agreed = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi"
    chat = TcpConversation(server_port=80).handshake().client(asked).server(agreed).close()
    proxied = TcpConversation(client_port=4_001, server_port=3_128).handshake()
    proxied.client(b"CONNECT mail.example.com:25 HTTP/1.1\r\n\r\n").server(b"HTTP/1.1 200 OK\r\n\r\n")
    proxied.server(b"220 mail.example.com ESMTP\r\n").client(b"QUIT\r\n").close()
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap([*chat.frames, *proxied.frames]))
    begun = [one.protocol for one in lapwing.read(path) if isinstance(one, SessionIdentified)]
    assert begun == ["http", "websocket", "http", "smtp"]
