"""Packet rows built by hand, and both tables driven over them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lapwing.flows import CLOSE_REASONS, CONN_STATES, FlowSettings
from lapwing.flows.layout import ActionKind, DataSource
from lapwing.wire.layout import PACKET_DTYPE

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = 0xC0000201, 0xC6336401  # 192.0.2.1, 198.51.100.1
SECOND = 1_000_000_000
MS = 1_000_000
HASH_KEY = bytes(range(16))


@dataclass
class Trace:
    """Packet rows and the buffer they point into."""

    data: bytearray = field(default_factory=bytearray)
    rows: list[dict[str, int]] = field(default_factory=list)
    now_ns: int = SECOND

    def add(self, payload: bytes = b"", *, at: int | None = None, captured: int | None = None, **fields: int) -> None:
        """One packet; the clock goes on by a millisecond unless `at` says when."""
        self.now_ns = self.now_ns + MS if at is None else at
        kept = payload if captured is None else payload[:captured]
        row = {
            "ts_ns": self.now_ns, "ip_version": 4, "protocol": 6, "tcp_window": 1000, "payload_off": len(self.data),
            "payload_captured": len(kept), "payload_bytes": len(payload), "captured": 54 + len(kept),
            "wire_bytes": 54 + len(payload), "ip_bytes": 40 + len(payload),
        }  # fmt: skip
        self.data += kept
        self.rows.append(row | fields)

    def tcp(self, side: int, flags: int, seq: int, ack: int = 0, payload: bytes = b"", **more: Any) -> None:
        """One TCP packet of 192.0.2.1:4000 (side 0) or 198.51.100.1:80 (side 1)."""
        source, target = (CLIENT, SERVER) if side == 0 else (SERVER, CLIENT)
        ports = (more.pop("port", 4000), 80)[:: 1 - 2 * side]
        fields = {"src_lo": source, "dst_lo": target, "src_port": ports[0], "dst_port": ports[1]}
        fields |= {"tcp_flags": flags, "tcp_seq": seq & 0xFFFFFFFF, "tcp_ack": ack & 0xFFFFFFFF}
        self.add(payload, **(fields | more))

    def udp(self, side: int, payload: bytes = b"?", **more: Any) -> None:
        """One UDP packet between the same hosts, 5000 and 53."""
        self.tcp(side, 0, 0, 0, payload, **({"protocol": 17} | more))

    def handshake(self, client_isn: int = 100, server_isn: int = 500, **more: Any) -> None:
        """SYN, SYN-ACK, ACK."""
        self.tcp(0, SYN, client_isn, **more)
        self.tcp(1, SYN | ACK, server_isn, client_isn + 1, **more)
        self.tcp(0, ACK, client_isn + 1, server_isn + 1, **more)

    @property
    def packets(self) -> NDArray[np.void]:
        """The rows as the decoder would give them."""
        packets = np.zeros(len(self.rows), PACKET_DTYPE)
        for number, row in enumerate(self.rows):
            for name, value in row.items():
                packets[number][name] = value
        return packets


@dataclass
class Result:
    """Everything a table handed out, with the payload bytes resolved."""

    actions: list[tuple[Any, ...]] = field(default_factory=list)
    keys: list[tuple[Any, ...]] = field(default_factory=list)
    records: list[tuple[Any, ...]] = field(default_factory=list)
    statistics: dict[str, int] = field(default_factory=dict)
    features: list[tuple[Any, ...]] = field(default_factory=list)

    def kinds(self) -> list[str]:
        """The names of the actions."""
        return [action[0] for action in self.actions]

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        """Actions of one kind: name, time, flow, side, detail."""
        return [action for action in self.actions if action[0] == kind]

    def stream(self, side: int, flow_id: int = 1) -> bytes:
        """What one side said; gaps as question marks."""
        said = b""
        for kind, _, flow, of_side, detail in self.actions:
            if flow == flow_id and of_side == side and kind in ("SEGMENT", "GAP", "DATAGRAM"):
                said += b"?" * detail if kind == "GAP" else detail
        return said


class Reader:
    """Collects the output of a table call by call."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self.result = Result()
        self.flow_of: dict[int, int] = {}

    def collect(self, data: bytes) -> None:
        """Copy what the last call handed out; rows are named by flow, not by slot or row."""
        table = self.table
        arena, keys, records = bytes(table.arena), table.keys.tolist(), table.records.tolist()
        for ts_ns, aux, slot, offset, length, kind, side, source, _ in table.actions.tolist():
            name = ActionKind(kind).name
            detail: Any = aux
            if name == "OPENED":
                self.flow_of[slot] = keys[aux][0]
                detail = keys[aux]
            elif name == "CLOSED":
                detail = records[aux]
            elif name == "ICMP_ERROR":
                detail = (aux, data[offset : offset + length])
            elif name in ("SEGMENT", "DATAGRAM"):
                detail = (arena if source == DataSource.ARENA else data)[offset : offset + length]
                assert len(detail) == length
            elif name == "GAP":
                detail = length
            elif name == "ANOMALY":
                detail = (aux, length)
            self.result.actions.append((name, ts_ns, self.flow_of[slot], side, detail))
        if table.features is not None:
            assert len(table.features) == len(records)
            self.result.features += [tuple(map(repr, row)) for row in table.features.tolist()]
        self.result.keys += keys
        self.result.records += records

    def process(self, trace: Trace, batch: int = 4096) -> None:
        """Run all packets of a trace, so many at a time."""
        packets, data = trace.packets, bytes(trace.data)
        for start in range(0, len(packets), batch):
            stop = min(start + batch, len(packets))
            row = start
            while row < stop:
                row = self.table.process(data, packets, row, stop)
                self.collect(data)

    def finish(self) -> Result:
        """End of input."""
        while True:
            more = self.table.finish()
            self.collect(b"")
            if not more:
                break
        self.result.statistics = self.table.statistics()
        return self.result


def run(make: Callable[..., Any], trace: Trace, *, batch: int = 4096, payloads: bool = True, **settings: Any) -> Result:
    """All a table says about a trace, to the end of input."""
    reader = Reader(make(FlowSettings(**settings), HASH_KEY, payloads=payloads))
    reader.process(trace, batch)
    return reader.finish()


def field_of(record: Iterable[Any], name: str) -> Any:
    """One field of a record row, by name."""
    from lapwing.flows.layout import RECORD_DTYPE

    return dict(zip(RECORD_DTYPE.names or (), record, strict=True))[name]


def reasons(result: Result) -> list[str]:
    """Why the flows ended, in their order."""
    return [CLOSE_REASONS[field_of(record, "close_reason")] for record in result.records]


def states(result: Result) -> list[str]:
    """The states of their connections."""
    return [CONN_STATES[field_of(record, "conn_state")] for record in result.records]
