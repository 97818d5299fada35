"""The row a packet becomes. Compiled and plain code, and the flow table, share this one definition.

Offsets count from the start of the batch's buffer, so a row never holds bytes itself.
"""

from enum import IntEnum

import numpy as np

MAX_RECORD_BYTES = 256 * 1024  # captured bytes of one packet, as in tcpdump; a longer one is damage
MAX_WIRE_BYTES = 16 * 1024 * 1024  # wire bytes of one packet; offloaded frames stay far below, longer is damage
MAX_PACKET_BLOCK_BYTES = 512 * 1024  # pcapng packet block: the packet, its options and the frame around both

MAX_TUNNEL_DEPTH = 4  # tunnels in tunnels; what lies deeper counts as the payload of the fourth

BATCH_PACKETS = 1024  # rows per batch: 100 kB stays in the second-level cache; above 512 the call overhead is gone


class Status(IntEnum):
    """How far a frame could be understood. Only `OK` rows have addresses; every other kind is counted by name."""

    OK = 0
    NOT_IP = 1  # ARP, LLDP, ... : nothing wrong
    UNKNOWN_LINK = 2  # link type we do not decode
    FRAGMENT = 3  # a piece of an IP datagram; addresses are set, ports are not
    LINK_TRUNCATED = 4
    IP_TRUNCATED = 5
    IP_MALFORMED = 6
    TRANSPORT_TRUNCATED = 7  # addresses are set, ports are not
    TRANSPORT_MALFORMED = 8
    FAULT = 9  # the decoder met a bound it did not expect: a bug of ours, reported, never fatal
    BAD_CHECKSUM = 10  # only when asked to verify; addresses are set


TUNNELS_TOO_DEEP = len(Status)  # place in the decoder's counters: packets whose last tunnel was not looked into
DECODE_COUNTERS = len(Status) + 1  # rows by status, and that

PACKET_DTYPE = np.dtype(
    [
        ("ts_ns", "<i8"),
        (
            "src_hi",
            "<u8",
        ),  # IPv6 address as two big-endian halves; IPv4 is in the low 32 bits of src_lo, src_hi is 0
        ("src_lo", "<u8"),
        ("dst_hi", "<u8"),
        ("dst_lo", "<u8"),
        ("frame_off", "<u4"),
        ("captured", "<u4"),  # frame bytes in the buffer
        ("wire_bytes", "<u4"),  # frame bytes on the wire
        ("ip_off", "<u4"),
        (
            "ip_bytes",
            "<u4",
        ),  # from the IP header, header included; captured frame rest where the header says 0 (TSO)
        ("payload_off", "<u4"),
        ("payload_captured", "<u4"),  # bytes above the transport header in the buffer
        ("payload_bytes", "<u4"),  # the same by the IP header; more than captured when the frame was cut
        ("tcp_seq", "<u4"),
        ("tcp_ack", "<u4"),
        ("tunnel_id", "<u4"),  # of the innermost tunnel: VNI, TEID, GRE key, L2TP tunnel and session; 0 for none
        ("mpls_label", "<u4"),  # at the bottom of the innermost stack, that of the service; 0 for none
        ("src_port", "<u2"),  # ICMP: 0
        ("dst_port", "<u2"),
        ("tcp_window", "<u2"),
        ("vlan_id", "<u2"),  # of the tag nearest to the IP header, 0 when untagged; tags of priority only are none
        ("outer_vlan_id", "<u2"),  # of the tag before it, 0 when there is none
        ("pppoe_session", "<u2"),  # of the innermost PPPoE session, 0 for none
        ("link_type", "<u2"),
        ("tag", "<u2"),  # 0 from the decoder; flows with different tags are different flows
        ("ip_version", "u1"),  # 4, 6 or 0
        ("protocol", "u1"),  # IP protocol number after extension headers
        ("tcp_flags", "u1"),  # FIN SYN RST PSH ACK URG ECE CWR from bit 0
        ("icmp_type", "u1"),
        ("icmp_code", "u1"),
        ("status", "u1"),
        ("hop_limit", "u1"),
        ("tunnel_depth", "u1"),  # headers of IP that were left behind: everything from ip_off on is of the innermost
    ],
    align=True,
)

# How the times of one pcapng interface become nanoseconds; exactly one of multiplier, divisor and shift is in use.
INTERFACE_DTYPE = np.dtype(
    [
        ("multiplier", "<u8"),  # ns per tick, when a tick is a whole number of them
        ("divisor", "<u8"),  # ticks per ns, for decimal resolutions finer than 10^-9
        ("max_ticks", "<u8"),  # a later time would leave int64: the packet counts as untimed
        ("offset_ns", "<i8"),
        ("snaplen", "<u4"),  # 0: none
        ("link_type", "<u2"),
        ("shift", "u1"),  # binary resolution: 2^shift ticks a second
        ("untimed", "u1"),  # 1: the resolution cannot be used
    ],
    align=True,
)
