"""Fuzz target: packet rows through both flow tables, cut into batches in two ways.

All must give the same actions, keys, records and payload bytes, keep the books, and hold nothing at the end.
"""

from struct import Struct
from typing import Any

import numpy as np

from lapwing.flows import COMPILED, FlowSettings, plain
from lapwing.flows.layout import ActionKind, DataSource
from lapwing.wire import PACKET_DTYPE

if COMPILED:
    from lapwing.flows import hot

    TABLES: tuple[Any, ...] = (plain.FlowTable, hot.FlowTable)
else:
    TABLES = (plain.FlowTable,)

PACKET = Struct("<BBBBHhHBB")  # who, flags, time step, status, sequence, acknowledgement, size, captured, window
STEPS_NS = (0, 1000, 1_000_000, 10_000_000, 999_999_999, 5_000_000_000, 61_000_000_000, 301_000_000_000,
            2_000_000_000_000, -1, -2_000_000_000, 1 << 61)  # fmt: skip
PROTOCOLS = (6, 6, 6, 6, 17, 1, 58, 132)
DATA = bytes(range(256)) * 16  # every payload is a piece of this
BASES = (1000, 0xFFFFFE00)
HASH_KEY = bytes(range(16))


def _packet(
    who: int, flags: int, sequence: int = 0, acknowledgement: int = 0, size: int = 0, step: int = 2, status: int = 0
) -> bytes:
    return PACKET.pack(who, flags, step, status, sequence, acknowledgement, size, 255, 1)


_OPEN = [_packet(0, 2), _packet(1, 0x12, 0, 1), _packet(0, 0x10, 1, 1)]
SEEDS = (
    b"\x00\x00" + b"".join([*_OPEN, _packet(0, 0x18, 1, 1, 50), _packet(1, 0x18, 1, 51, 9), _packet(0, 0x11, 51, 10),
                            _packet(1, 0x11, 10, 52), _packet(0, 0x10, 52, 11)]),
    b"\x01\x10" + b"".join([*_OPEN, _packet(0, 0x18, 500, 1, 300), _packet(0, 0x18, 400, 1, 200),
                            _packet(1, 0x10, 1, 900, step=4), _packet(0, 0x18, 1, 1, 399), _packet(0, 4, 900)]),
    b"\x02\x81" + b"".join(_packet(who, 0, size=40, step=who % 12) for who in range(64)),
    b"\x0c\x42" + b"".join([*_OPEN, *(_packet(0, 0x18, 3 * n, 1, 2, 1) for n in range(1, 90)), _packet(0, 2, 7000)]),
)  # fmt: skip


def run(data: bytes) -> None:
    """The first two bytes choose the settings, twelve more each packet."""
    if len(data) < 2:
        return
    settings = _settings(data[0], data[1])
    packets = _rows(data[2 : 2 + PACKET.size * 400])
    results = [_drive(table, settings, packets, batch) for table in TABLES for batch in (3, 4096)]
    assert all(result == results[0] for result in results)
    counts = results[0][4]
    assert counts["flows_created"] == counts["flows_ended"]
    assert counts["flows_active"] == counts["reassembly_pages"] == counts["reassembly_sides"] == counts["faults"] == 0


def _settings(first: int, second: int) -> FlowSettings:
    return FlowSettings(
        max_flows=(1000, 1, 3, 8)[first & 3],
        ooo_buffer_bytes=(262_144, 4096, 6000, 65_536)[first >> 2 & 3],
        overlap_policy="last" if first & 16 else "first",
        active_timeout_s=2.0 if first & 32 else 1800.0,
        max_ahead_bytes=65_536 if first & 64 else 1 << 20,
        reassembly_memcap_bytes=65_536 if second & 1 and first >> 2 & 3 else 1 << 20,
        features=bool(second & 32),
        early_packets=3 if second & 96 == 96 else 0,
        sweep_interval_s=(1.0, 0.01, 60.0, 7.3)[second >> 1 & 3],
    )


def _rows(data: bytes) -> Any:
    count = len(data) // PACKET.size
    packets = np.zeros(count, PACKET_DTYPE)
    now_ns = 1_000_000_000
    for row, fields in zip(packets, PACKET.iter_unpack(data[: count * PACKET.size]), strict=True):
        who, flags, step, status, sequence, acknowledgement, size, captured, window = fields
        now_ns = min(now_ns + STEPS_NS[step % len(STEPS_NS)], (1 << 63) - 1)
        side, base = who & 1, BASES[who >> 1 & 1]
        row["ts_ns"] = now_ns
        row["src_lo"], row["dst_lo"] = (1, 2) if side == 0 else (2, 1)
        row["src_hi"] = row["dst_hi"] = who >> 2 & 1
        row["ip_version"] = 6 if who & 4 else 4
        row["src_port"], row["dst_port"] = (4000 + (who >> 3 & 3), 80) if side == 0 else (80, 4000 + (who >> 3 & 3))
        row["tag"] = step >> 6 & 1
        row["protocol"] = PROTOCOLS[who >> 5]
        row["icmp_type"], row["icmp_code"] = flags, window & 1
        row["tcp_flags"], row["tcp_window"] = flags, window
        row["tcp_seq"] = (base + sequence * (100 if step & 128 else 1)) & 0xFFFFFFFF
        row["tcp_ack"] = (base + acknowledgement) & 0xFFFFFFFF
        size %= 3000
        row["payload_off"] = sequence % 1000
        row["payload_bytes"] = size
        row["payload_captured"] = size if captured > 20 else size * captured // 20
        row["ip_bytes"] = row["wire_bytes"] = row["captured"] = size + 40
        row["status"] = status - 240 if status > 240 and status < 250 else 0
    return packets


def _drive(table_class: Any, settings: FlowSettings, packets: Any, batch: int) -> tuple[Any, ...]:
    """All that a table says: actions with their bytes, keys, records, their features, counters."""
    table = table_class(settings, HASH_KEY)
    said: tuple[list[Any], list[Any], list[Any], list[Any]] = ([], [], [], [])
    for start in range(0, len(packets), batch):
        stop = min(start + batch, len(packets))
        row = start
        while row < stop:
            row = table.process(DATA, packets, row, stop)
            _collect(table, *said)
    more = True
    while more:
        more = table.finish()
        _collect(table, *said)
    return (*said, table.statistics())


def _collect(table: Any, actions: list[Any], keys: list[Any], records: list[Any], features: list[Any]) -> None:
    arena, first_key, first_record = bytes(table.arena), len(keys), len(records)
    for ts_ns, aux, slot, offset, length, kind, side, source, flags in table.actions.tolist():
        if kind in (ActionKind.SEGMENT, ActionKind.DATAGRAM):
            said: Any = (arena if source == DataSource.ARENA else DATA)[offset : offset + length]
            assert len(said) == length > 0
        elif kind == ActionKind.OPENED:
            said = aux + first_key
        else:
            said = aux + first_record if kind == ActionKind.CLOSED else (aux, length)
        actions.append((ts_ns, slot, kind, side, flags, said))
    keys += table.keys.tolist()
    records += table.records.tolist()
    if table.features is not None:
        features += [tuple(map(repr, row)) for row in table.features.tolist()]
