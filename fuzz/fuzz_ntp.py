"""Fuzz target: one datagram of NTP."""

from lapwing.events import Side
from lapwing.protocols.ntp import NTP, NtpParser
from tests.protocols.test_ntp import ANSWER, ASKED

SEEDS = (ANSWER, ASKED)


def run(data: bytes) -> None:
    """Look at the input as a datagram: nothing may raise."""
    NTP.probe(Side.CLIENT, data)
    NtpParser().parse(Side.CLIENT, data, 0)
