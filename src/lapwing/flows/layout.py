"""What the flow table hands out, as rows: actions in packet order, keys of new flows, records of ended ones.

The plain and the compiled table, and the session driver, share this one definition. Rows are valid until the next
call into the table.
"""

from enum import IntEnum

import numpy as np


class ActionKind(IntEnum):
    """What an action row says."""

    OPENED = 0  # aux: row in `keys`
    ESTABLISHED = 1  # aux: handshake round trip in ns, 0 when part of it was not seen
    SEGMENT = 2  # next ordered TCP bytes of a side: length bytes at offset in the chunk or in the arena
    GAP = 3  # length bytes of this side will never come; what follows continues after them
    SIDE_CLOSED = 4  # this side sent FIN and everything before it was handed out
    DATAGRAM = 5  # one UDP payload
    ANOMALY = 6  # aux: index into ANOMALY_KINDS; length: count
    CLOSED = 7  # aux: row in `records`; length: index into CLOSE_REASONS; the slot is free now, unless ACTIVE
    ICMP_ERROR = 8  # an ICMP message about another packet, from its own header on; aux: flow_id of that packet, or 0


class DataSource(IntEnum):
    """Where an action's bytes lie."""

    CHUNK = 0  # the batch buffer given to process()
    ARENA = 1  # the table's own buffer of this call: bytes that had waited for a hole to be filled


ACTION_DTYPE = np.dtype(
    [
        ("ts_ns", "<i8"),
        ("aux", "<i8"),
        ("slot", "<u4"),  # dense id of a live flow, reused after CLOSED
        ("offset", "<u4"),
        ("length", "<u4"),
        ("kind", "u1"),
        ("side", "u1"),  # 0 client, 1 server
        ("source", "u1"),
        (
            "flags",
            "u1",
        ),  # bit 0: the stream was joined in the middle, its first bytes may be no message start
    ],
    align=True,
)

_KEY_FIELDS = [
    ("flow_id", "<i8"),  # 1, 2, 3, ... in order of first packets
    ("first_ts_ns", "<i8"),
    ("client_hi", "<u8"),
    ("client_lo", "<u8"),
    ("server_hi", "<u8"),
    ("server_lo", "<u8"),
    ("client_port", "<u2"),  # ICMP: message type, as in the community id and conn.log conventions
    ("server_port", "<u2"),  # ICMP: counterpart type, or code where there is none
    ("vlan_id", "<u2"),
    ("tag", "<u2"),  # what else the key holds, as the extractor numbered it; 0 for nothing
    ("ip_version", "u1"),
    ("ip_protocol", "u1"),
    ("role_evidence", "u1"),  # index into ROLE_EVIDENCE
]

_CARRIED_FIELDS = [
    ("outer_vlan_id", "<u2"),
    ("client_carrier", "<u4"),  # number in the table's `carriers` of what its packets came in; 0: none
    ("server_carrier", "<u4"),
]

KEY_DTYPE = np.dtype([*_KEY_FIELDS, *_CARRIED_FIELDS], align=True)

_SIDE_COUNTERS = [
    "packet_count",
    "wire_bytes",
    "ip_bytes",
    "payload_bytes",
    "stream_bytes",
    "missed_bytes",
    "retransmit_count",
    "out_of_order_count",
    "tcp_flags",
]

RECORD_DTYPE = np.dtype(
    [
        *_KEY_FIELDS,
        ("close_reason", "u1"),  # index into CLOSE_REASONS
        ("conn_state", "u1"),  # index into CONN_STATES
        ("record_index", "<u4"),  # 0, then one more for each active timeout
        ("last_ts_ns", "<i8"),
        ("history", "S24"),
        *[(f"{side}_{name}", "<u8") for name in _SIDE_COUNTERS for side in ("client", "server")],
        *_CARRIED_FIELDS,
    ],
    align=True,
)

ROLE_EVIDENCE = ("syn", "syn-ack", "port", "first-packet")
CLOSE_REASONS = ("fin", "rst", "idle", "active", "evicted", "superseded", "flush", "forced")
CONN_STATES = ("OTH", "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR")
ANOMALY_KINDS = (
    "tcp.overlap_conflict",
    "tcp.reassembly_overflow",
    "tcp.out_of_window",
    "flow.evicted",
    "flow.clock_regression",
)
