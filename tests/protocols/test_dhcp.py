"""DHCP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import Side
from lapwing.events.messages.dhcp import DhcpPacket
from lapwing.protocols import Match
from lapwing.protocols.dhcp import COOKIE, DHCP, MAX_BAD_DATAGRAMS, DhcpParser

NOBODY = bytes(4)


def packet(op: int, *options: tuple[int, bytes], yours: bytes = NOBODY, relay: bytes = NOBODY) -> bytes:
    head = bytes((op, 1, 6, 0)) + bytes.fromhex("0000abcd") + bytes(4) + NOBODY + yours + NOBODY + relay
    head += bytes.fromhex("020000000001").ljust(16, b"\0") + bytes(192)
    return head + COOKIE + b"".join(bytes((number, len(value))) + value for number, value in options) + b"\xff"


REQUEST = packet(
    1, (53, b"\3"), (50, b"\xc0\0\2\7"), (12, b"laptop"), (60, b"MSFT 5.0"), (61, b"\1\2"), (55, b"\1\3\6"), (0, b"")
)
ACK = packet(2, (53, b"\5"), (51, b"\0\0\x0e\x10"), (54, b"\xc0\0\2\1"), (15, b"example.com\0"), yours=b"\xc0\0\2\7")


def test_a_request_and_its_answer_are_read() -> None:
    parser = DhcpParser()
    assert parser.parse(Side.CLIENT, REQUEST, 0) == [
        DhcpPacket(
            "request",
            0xABCD,
            "02:00:00:00:00:01",
            requested_ip="192.0.2.7",
            host_name="laptop",
            vendor_class="MSFT 5.0",
            client_id="0102",
            parameters=[1, 3, 6],
        )
    ]
    assert parser.parse(Side.SERVER, ACK, 0) == [
        DhcpPacket(
            "ack",
            0xABCD,
            "02:00:00:00:00:01",
            assigned_ip="192.0.2.7",
            server_ip="192.0.2.1",
            domain="example.com",
            lease_s=3_600,
        )
    ]


def test_options_that_are_cut_end_the_list() -> None:
    (message,) = DhcpParser().parse(Side.CLIENT, REQUEST[:255], 0)
    assert isinstance(message, DhcpPacket)
    assert (message.type, message.host_name) == ("request", None)


@pytest.mark.parametrize(
    ("datagram", "match"),
    [(REQUEST, Match.YES), (b"\3" + REQUEST[1:], Match.NO), (REQUEST[:238], Match.NO), (b"", Match.NO)],
)
def test_the_cookie_tells(datagram: bytes, match: Match) -> None:
    assert DHCP.probe(Side.CLIENT, datagram) is match


def test_what_is_no_dhcp_poisons() -> None:
    parser = DhcpParser()
    for _ in range(MAX_BAD_DATAGRAMS):
        parser.parse(Side.CLIENT, b"x" * 300, 0)
    assert parser.poisoned


@given(st.binary(max_size=80))
def test_any_options_give_a_message_and_never_an_exception(data: bytes) -> None:
    assert len(DhcpParser().parse(Side.CLIENT, REQUEST[:240] + data, 0)) == 1
