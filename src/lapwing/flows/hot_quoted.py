# cython: show_performance_hints=False
# mypy: ignore-errors
# ruff: noqa: F403, F405 -- types and numbers of hot_types.pxd
"""The packet that an ICMP error is about, read for the compiled flow table (Cython, pure-Python mode; types in `.pxd`).

`plain_quoted.py` defines what it does.
"""

import cython
import numpy as np
from cython.cimports.lapwing.flows.hot_types import *

from lapwing.flows.hot_tcp import TcpFlows
from lapwing.flows.rules import ICMP6_PAIRS, ICMP_PAIRS
from lapwing.wire.layout import PACKET_DTYPE

if not cython.compiled:
    raise ImportError("lapwing.flows.hot_quoted runs only compiled; lapwing.flows.plain_quoted is its twin")


def _pairs():
    """Answering ICMP type by type, -1 where there is none; row 0 for ICMP, row 1 for ICMPv6."""
    table = np.full((2, 256), -1, np.int16)
    for row, pairs in enumerate((ICMP_PAIRS, ICMP6_PAIRS)):
        table[row, list(pairs)] = list(pairs.values())
    return table


class QuotedFlows(TcpFlows):
    """Flows that ICMP messages speak of."""

    def __init__(self, settings, *, payloads):
        TcpFlows.__init__(self, settings, payloads=payloads)
        self.pairs = _pairs()
        self.quote = np.zeros(1, PACKET_DTYPE)

    def _be32(self, at):
        return (
            cython.cast(u32, self.data[at]) << 24
            | cython.cast(u32, self.data[at + 1]) << 16
            | cython.cast(u32, self.data[at + 2]) << 8
            | self.data[at + 3]
        )

    def _read_quoted(self, packet):
        """Put the packet that an ICMP error is about into `quote`; 0 when it cannot be read."""
        at: cython.Py_ssize_t = packet.payload_off
        quoted: cython.pointer[Packet] = cython.address(self.quote[0])
        header: u32
        word: u32
        if packet.payload_captured < 28:
            return 0
        quoted.src_hi = quoted.dst_hi = 0
        quoted.ip_version = self.data[at] >> 4
        quoted.tag = packet.tag
        if packet.protocol == ICMP:
            header = cython.cast(u32, self.data[at] & 15) * 4
            if quoted.ip_version != 4 or header < 20 or packet.payload_captured < header + 4:
                return 0
            if self._be32(at + 4) & 0x1FFF:
                return 0  # a later fragment, without ports
            quoted.protocol = self.data[at + 9]
            quoted.src_lo = self._be32(at + 12)
            quoted.dst_lo = self._be32(at + 16)
        else:
            header = 40
            if quoted.ip_version != 6 or packet.payload_captured < header + 4:
                return 0
            quoted.protocol = self.data[at + 6]
            quoted.src_hi = cython.cast(u64, self._be32(at + 8)) << 32 | self._be32(at + 12)
            quoted.src_lo = cython.cast(u64, self._be32(at + 16)) << 32 | self._be32(at + 20)
            quoted.dst_hi = cython.cast(u64, self._be32(at + 24)) << 32 | self._be32(at + 28)
            quoted.dst_lo = cython.cast(u64, self._be32(at + 32)) << 32 | self._be32(at + 36)
        word = self._be32(at + header)
        two_way: cython.bint = True
        source_port: u16 = 0
        target_port: u16 = 0
        if quoted.protocol == TCP or quoted.protocol == UDP or quoted.protocol == 132:
            source_port = word >> 16
            target_port = word & 0xFFFF
        elif quoted.protocol == ICMP or quoted.protocol == ICMP6:
            quoted.icmp_type = word >> 24
            quoted.icmp_code = (word >> 16) & 0xFF
            answer: cython.short = self.pairs[quoted.protocol == ICMP6, quoted.icmp_type]
            two_way = answer >= 0
            source_port = quoted.icmp_type
            target_port = answer if two_way else quoted.icmp_code
        quoted.src_port = source_port
        quoted.dst_port = target_port
        self.quoted_two_way = two_way
        return 1
