"""Fuzz target: what hostile peers say, in every shape that goes out: EVE lines, Zeek logs, pages of notebooks."""

from typing import Any

import msgspec

from fuzz.talk import KEY, script, steps
from lapwing.app.eve import eve
from lapwing.app.zeek import COLUMNS, LOGS, DhcpLeases, line
from lapwing.events import FlowKey, Message, SessionMessaged, Side
from lapwing.protocols import DATAGRAM_PROTOCOLS, STREAM_PROTOCOLS, DatagramProtocol, StreamProtocol

C, S = Side.CLIENT, Side.SERVER
TALKS: dict[str, tuple[tuple[Side, bytes], ...]] = {
    "http": (
        (C, b"GET /a?b=%00 HTTP/1.1\r\nHost: \xe9\r\nUpgrade: websocket\r\nUser-Agent: <b>\t\r\n\r\n"),
        (S, b"HTTP/1.1 101 \xff\r\nSec-WebSocket-Protocol: a, b\r\n\r\n"),
    ),
    "ftp": ((S, b"220-a\r\n220 b\r\n"), (C, b"USER a\r\nPASS b\r\n"), (S, b"331 x\r\n230 y\r\n")),
    "smtp": (
        (S, b"220 a\r\n"),
        (C, b"EHLO b\r\nMAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n"),
        (C, b"Date: x\r\n\r\n.\r\n"),
    ),
    "ssh": ((C, b"SSH-2.0-a\r\n"), (S, b"SSH-1.99-b c\r\n")),
    "pop3": ((S, b"+OK a\r\n"), (C, b"USER a\r\nAPOP a b\r\n"), (S, b"-ERR b\r\n")),
    "imap": ((S, b"* OK a\r\n"), (C, b"a LOGIN b c\r\n"), (S, b"a NO d\r\n")),
    "ldap": (
        (C, b"0\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"),
        (S, b"0\x0c\x02\x01\x01\x61\x07\x0a\x01\x31\x04\x00\x04\x00"),
    ),
    "dns": ((C, bytes.fromhex("000701000001000000000000 03777777076578616d706c6503636f6d00 00010001")),),
    "ntp": ((C, b"\x23" + bytes(47)), (S, b"\x24\x02\x06\xec" + bytes(44))),
    "dhcp": ((C, b"\x01\x01\x06\x00" + bytes(232) + b"\x63\x82\x53\x63\x35\x01\x01\x0c\x03<b>\xff"),),
}
PROTOCOLS: list[StreamProtocol | DatagramProtocol] = [*STREAM_PROTOCOLS, *DATAGRAM_PROTOCOLS]
NAMES = [protocol.name for protocol in PROTOCOLS]
SEEDS = tuple(bytes((NAMES.index(name),)) + script(*pieces) for name, pieces in TALKS.items())


def run(data: bytes) -> None:
    """The first byte chooses the parser; whatever it says is one line everywhere, with every column."""
    if not data:
        return
    protocol = PROTOCOLS[data[0] % len(PROTOCOLS)]
    events = [_event(protocol.name, side, message) for side, message in _said(protocol, data[1:])]
    for event in events:
        msgspec.json.encode(eve(event))
        assert "<script" not in event._repr_html_()
    leases = DhcpLeases()
    for log, make in {**LOGS.get(protocol.name, {}), "dhcp": None}.items():
        rows = make() if make is not None else None
        for event in events:
            for row in rows.add(event) if rows is not None else leases.add(event, "C"):
                _check(log, row)
        for row in rows.end() if rows is not None else leases.end():
            _check(log, row)


def _said(protocol: StreamProtocol | DatagramProtocol, data: bytes) -> list[tuple[Side, Message]]:
    parser: Any = protocol.make(KEY)
    found: list[tuple[Side, Message]] = []
    for side, hole, piece in steps(data):
        if parser.poisoned or parser.done:
            break
        if hasattr(parser, "parse"):
            found += [(side, message) for message in parser.parse(side, piece, len(found))]
        else:
            said = parser.gap(side, hole, 0) if hole else parser.feed(side, piece, 0)
            found += [(side, message) for message in said]
    return found


def _event(protocol: str, side: Side, message: Message) -> SessionMessaged:
    key: FlowKey = KEY
    return SessionMessaged(
        1,
        key.flow_id,
        key.community_id,
        key.transport,
        key.client_ip,
        key.client_port,
        key.server_ip,
        key.server_port,
        protocol,
        side,
        message.redacted(),
    )


def _check(log: str, row: dict[str, object]) -> None:
    shown = line(log, {"ts": 1, **row})
    assert shown.count(b"\t") == len(COLUMNS[log]) - 1
    assert shown.count(b"\n") == 1
    assert shown.isascii()
