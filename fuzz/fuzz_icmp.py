"""Fuzz target: errors of ICMP, read from their own header on."""

from lapwing.events import FlowKey, Side, Transport
from lapwing.protocols import ICMP

_V4 = bytes.fromhex("0303000000000000") + bytes.fromhex("4500002a00010000401100000a0000010a0000021388270f00160000")
_V6 = bytes.fromhex("0104000000000000") + bytes.fromhex("6000000000081140") + bytes(32) + bytes.fromhex("1388270f")
SEEDS = (_V4, _V6, bytes.fromhex("0501000000000000"), bytes.fromhex("0304000000000578") + _V4[8:])


def run(data: bytes) -> None:
    """One message for each of both kinds; any bytes give a message or nothing."""
    for transport in (Transport.ICMP, Transport.ICMP6):
        parser = ICMP.make(FlowKey(1, "", transport, "192.0.2.1", 3, "192.0.2.2", 3))
        messages = list(parser.parse(Side.CLIENT, data, 0))
        assert len(messages) <= 1
        assert parser.poisoned is None
