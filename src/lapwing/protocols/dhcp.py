"""DHCP for IPv4 over UDP (RFC 2131, options of RFC 2132)."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from lapwing.events import FlowKey, Message, Side
from lapwing.events.messages.dhcp import DhcpPacket
from lapwing.protocols.contract import NO, YES, DatagramProtocol, Match
from lapwing.protocols.lines import text_of

MAX_BAD_DATAGRAMS = 8  # in a row, before the flow is taken to speak something else
HEADER_BYTES = 236
COOKIE = bytes.fromhex("63825363")

_TYPES = (
    "bootp", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform", "force-renew", "lease-query",
    "lease-unassigned", "lease-unknown", "lease-active",
)  # fmt: skip
_PAD, _END = 0, 255
_HOST_NAME, _DOMAIN, _REQUESTED, _LEASE, _TYPE, _SERVER, _PARAMETERS, _TEXT, _VENDOR, _CLIENT_ID = (
    12, 15, 50, 51, 53, 54, 55, 56, 60, 61,
)  # fmt: skip


def probe(side: Side, datagram: bytes) -> Match:
    """Tell DHCP by its cookie behind a header of BOOTP."""
    there = datagram[HEADER_BYTES : HEADER_BYTES + 4] == COOKIE
    return YES if there and datagram[0] in (1, 2) and datagram[2] <= 16 else NO


class DhcpParser:
    """Messages of one flow; see DatagramParser for the contract."""

    def __init__(self) -> None:
        self.poisoned: str | None = None
        self.done = False
        self._bad = 0

    def parse(self, side: Side, datagram: bytes, now_ns: int) -> list[Message]:
        """Take one datagram."""
        if probe(side, datagram) is NO:
            self._bad += 1
            if self._bad >= MAX_BAD_DATAGRAMS:
                self.poisoned = f"{MAX_BAD_DATAGRAMS} datagrams in a row are no DHCP"
            return []
        self._bad = 0
        return [_read(datagram)]

    def close(self, now_ns: int) -> list[Message]:
        """Nothing is left to say."""
        return []


def _read(datagram: bytes) -> DhcpPacket:
    options = dict(_options(datagram))
    kind = options.get(_TYPE, b"\0")[:1] or b"\0"
    server = options.get(_SERVER, b"")
    return DhcpPacket(
        type=_TYPES[kind[0]] if kind[0] < len(_TYPES) else str(kind[0]),
        transaction_id=int.from_bytes(datagram[4:8], "big"),
        client_mac=datagram[28 : 28 + datagram[2]].hex(":"),
        client_ip=_address(datagram[12:16]),
        assigned_ip=_address(datagram[16:20]),
        server_ip=_address(server) or _address(datagram[20:24]),
        relay_ip=_address(datagram[24:28]),
        requested_ip=_address(options.get(_REQUESTED, b"")),
        host_name=_text(options, _HOST_NAME),
        domain=_text(options, _DOMAIN),
        vendor_class=_text(options, _VENDOR),
        client_id=options[_CLIENT_ID].hex() if options.get(_CLIENT_ID) else None,
        lease_s=int.from_bytes(options[_LEASE], "big") if len(options.get(_LEASE, b"")) == 4 else None,
        text=_text(options, _TEXT),
        parameters=list(options.get(_PARAMETERS, b"")),
    )


def _options(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and value of each option, up to the end or to where they are cut."""
    at = HEADER_BYTES + len(COOKIE)
    while at < len(datagram) and datagram[at] != _END:
        if datagram[at] == _PAD:
            at += 1
            continue
        if at + 2 > len(datagram) or at + 2 + datagram[at + 1] > len(datagram):
            return
        yield datagram[at], datagram[at + 2 : at + 2 + datagram[at + 1]]
        at += 2 + datagram[at + 1]


def _address(data: bytes) -> str | None:
    return str(IPv4Address(data)) if len(data) == 4 and any(data) else None


def _text(options: dict[int, bytes], number: int) -> str | None:
    return text_of(options.get(number, b"").rstrip(b"\0")) or None


def make(key: FlowKey) -> DhcpParser:
    """Make the parser of one flow."""
    return DhcpParser()


DHCP = DatagramProtocol("dhcp", frozenset({67, 68}), probe, make, starts=b"\1\2")
