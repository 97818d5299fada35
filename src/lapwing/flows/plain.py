"""The flow table in plain Python: the definition of what the compiled one does, and the fallback without a compiler.

About twenty times slower. Everything a packet can cause happens in packet time inside `process`,
so the result does not depend on how packets are cut into calls. How flows begin and end is in `plain_lives`.
"""

from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lapwing.flows.features import joined
from lapwing.flows.layout import CLOSE_REASONS, ActionKind
from lapwing.flows.plain_lives import FlowLives
from lapwing.flows.plain_output import Output
from lapwing.flows.plain_quoted import quoted_packet
from lapwing.flows.plain_state import Endpoint, Flow
from lapwing.flows.plain_tcp import Segment, is_new_connection
from lapwing.flows.rules import (
    BY_ACTIVE,
    BY_FLUSH,
    BY_FORCE,
    BY_IDLE,
    BY_SUPERSEDE,
    CLOCK_REGRESSION,
    CLOCK_TOLERANCE_NS,
    ICMP,
    ICMP6,
    ICMP6_ERRORS,
    ICMP_ERRORS,
    ICMP_HEADER_BYTES,
    MAX_CLOCK_NS,
    TCP,
    UDP,
    counterpart,
)
from lapwing.flows.settings import FlowSettings, IdleRule
from lapwing.wire.layout import PACKET_DTYPE, Status

_KEY = Struct(">HBBQQHQQH")
_NAMES = PACKET_DTYPE.names or ()


class FlowTable(FlowLives):
    """Packets in, rows out. See `lapwing.flows` for the contract."""

    def __init__(
        self, settings: FlowSettings, hash_key: bytes, *, payloads: bool = True, idle: IdleRule | None = None
    ) -> None:
        settings.validate()
        if len(hash_key) != 16:
            raise ValueError("hash_key must have 16 bytes")
        super().__init__(settings, payloads=payloads, idle=idle)

    @property
    def actions(self) -> NDArray[np.void]:
        """What happened in the last call, in packet order; empty without payloads."""
        return self._output.action_rows

    @property
    def keys(self) -> NDArray[np.void]:
        """Keys of the flows that opened in the last call."""
        return self._output.key_rows

    @property
    def records(self) -> NDArray[np.void]:
        """Records of the flows that ended, or were cut by the active timeout, in the last call."""
        return self._output.record_rows

    @property
    def features(self) -> NDArray[np.void] | None:
        """Features of `records`, row by row; None unless the settings ask for them."""
        return self._output.feature_rows if self._settings.features else None

    @property
    def arena(self) -> memoryview:
        """Bytes of segments whose source is ARENA."""
        return memoryview(self._output.arena)

    @property
    def step_count(self) -> int:
        """Steps taken so far beside the one look that each packet costs.

        They are bytes that waited, in and out, places looked at for the next of them, entries of the index passed
        over, flows looked at whether they are over or to be evicted. Nothing that comes can make them more than a few
        per packet and byte. The two implementations step differently.
        """
        return self._steps + self._reassembly.steps

    def process(self, buffer: Any, packets: NDArray[np.void], start: int, count: int) -> int:
        """Take packet rows [start, count); returns the row to go on with, `count` when all were taken."""
        self._output.clear()
        data = memoryview(buffer).cast("B")
        for index, row in enumerate(packets[start:count].tolist(), start):
            packet = dict(zip(_NAMES, row, strict=True))
            regression_ns = self._set_clock(packet["ts_ns"])
            if self._expire() or self._output.full:
                return index
            self._packet(packet, data, regression_ns)
        return count

    def survey(self, packets: NDArray[np.void], count: int) -> tuple[int, bool]:
        """The latest time in the first `count` packet rows, at least one, and whether any is a fragment."""
        return int(packets["ts_ns"][:count].max()), bool((packets["status"][:count] == Status.FRAGMENT).any())

    def ignore(self, slot: int, flow_id: int) -> None:
        """Nobody parses this flow any more: from the next call on it has no payload actions."""
        flow = self._by_slot.get(slot)
        if flow is not None and flow.flow_id == flow_id:
            flow.ignored = True
            for side in (0, 1):
                self._reassembly.drop(flow, side)

    def advance(self, now_ns: int) -> bool:
        """Let time pass without packets; True while more output waits."""
        self._output.clear()
        self._set_clock(now_ns)
        return self._expire()

    def end_flow(self, flow_id: int) -> bool:
        """End this flow now, for the reason `forced`; False when there is none. Its rows are those of this call.

        A packet that still comes opens another one.
        """
        self._output.clear()
        found = [flow for flow in self._by_slot.values() if flow.flow_id == flow_id]
        for flow in found:
            self._close(flow, BY_FORCE)
        return bool(found)

    def snapshot(self, start: int = 0) -> tuple[NDArray[np.void], int]:
        """Records of live flows as they stand, by slot from `start` on, and where to go on, -1 when that was all.

        Nothing ends, no counter moves, and the rows of the last call stay: a look, not an event. A flow that has not
        closed has the reason `active`. With `FlowSettings.features` they have those columns too.
        """
        output = Output(payloads=False, early_packets=self._settings.early_packets)
        for slot in sorted(slot for slot in self._by_slot if slot >= start):
            if output.full:
                return self._rows_of(output), slot
            flow = self._by_slot[slot]
            reason = self._close_reason(flow)
            output.closed(flow, BY_ACTIVE if reason == BY_IDLE else reason, self._clock_ns)
        return self._rows_of(output), -1

    def _rows_of(self, output: Output) -> NDArray[np.void]:
        return joined(output.record_rows, output.feature_rows) if self._settings.features else output.record_rows

    def finish(self) -> bool:
        """End every flow, oldest first; True while more output waits. Afterwards packets of any time may follow."""
        self._output.clear()
        for flow in sorted(self._by_slot.values(), key=lambda flow: flow.flow_id):
            if self._output.full:
                return True
            reason = self._close_reason(flow)
            self._close(flow, BY_FLUSH if reason == BY_IDLE else reason)
        self._clock_ns = 0
        self._tick = -1
        return False

    def statistics(self) -> dict[str, int]:
        """Counters since the start, and how much is held now. created = ended + active."""
        names = ["packets", "clock_regressions", "flows_created", "flows_ended", "flows_active_cuts", "faults"]
        names.append("idle_faults")
        names += [f"packets_unmatched_{status.name.lower()}" for status in Status if status is not Status.OK]
        names += [f"flows_ended_{reason}" for reason in CLOSE_REASONS if reason != "active"]
        counts = {name: self._counts[name] for name in names}
        counts |= {f"anomalies_{kind}": count for kind, count in sorted(self._output.anomaly_counts.items())}
        counts |= {"carriers": len(self.carriers), "carriers_shared": self.carriers.shared_count}
        held = {"flows_active": len(self._by_slot), "reassembly_pages": self._reassembly.pages}
        return counts | held | {"reassembly_sides": self._reassembly.waiting_sides}

    def _set_clock(self, now_ns: int) -> int:
        """Move the clock on; returns how far `now_ns` lies before it."""
        behind = self._clock_ns - min(now_ns, MAX_CLOCK_NS)
        self._clock_ns -= min(behind, 0)
        if self._tick < 0:
            self._tick = self._clock_ns // self._sweep_ns
        return max(behind, 0)

    def _packet(self, packet: dict[str, int], data: memoryview, regression_ns: int) -> None:
        counts = self._counts
        counts["packets"] += 1
        counts["clock_regressions"] += regression_ns > 0
        if packet["status"] != Status.OK:
            counts[f"packets_unmatched_{Status(packet['status']).name.lower()}"] += 1
            return
        source, target, two_way = _endpoints(packet)
        key = _flow_key(packet, source, target, two_way)
        flow = self._by_key.get(key)
        if flow is not None:
            side = int(source != flow.client)
            reason = self._why_over(flow, side, packet)
            if reason >= 0:
                self._close(flow, reason)
                flow = None
        if flow is None:
            flow = self._open(key, source, target, packet, data)
        side = int(source != flow.client)
        if regression_ns > CLOCK_TOLERANCE_NS:
            self._output.anomaly(CLOCK_REGRESSION, flow, self._clock_ns, side)
        self._count(flow, side, packet)
        if packet["tunnel_depth"]:
            self._note_carrier(flow, side, packet, data)
        if flow.features is not None:
            flow.features.add(side, packet, data, self._clock_ns, self._settings.early_packets)
        if flow.protocol == TCP:
            self._track_tcp(flow, side, packet, data)
        else:
            self._track_datagram(flow, side, packet)
            self._icmp_error(flow, side, packet, data)

    def _why_over(self, flow: Flow, side: int, packet: dict[str, int]) -> int:
        """Reason to end `flow` before this packet opens another one, -1 when the packet belongs to it."""
        reason = self._close_reason(flow)
        if self._clock_ns - flow.last_ts_ns >= self._timeout_ns(flow):
            return reason
        if flow.protocol != TCP:
            return -1
        closed = reason != BY_IDLE
        if not is_new_connection(flow, side, packet["tcp_flags"], packet["tcp_seq"], closed=closed):
            return -1
        return reason if closed else BY_SUPERSEDE

    def _count(self, flow: Flow, side: int, packet: dict[str, int]) -> None:
        this = flow.sides[side]
        this.packet_count += 1
        this.wire_bytes += packet["wire_bytes"]
        this.ip_bytes += packet["ip_bytes"]
        this.payload_bytes += packet["payload_bytes"]
        flow.last_ts_ns = self._clock_ns

    def _track_tcp(self, flow: Flow, side: int, packet: dict[str, int], data: memoryview) -> None:
        flow.sides[side].tcp_flags |= packet["tcp_flags"]
        was_open = self._close_reason(flow) == BY_IDLE
        segment = Segment(
            packet["tcp_flags"], packet["tcp_seq"], packet["tcp_ack"], packet["tcp_window"],
            packet["payload_bytes"], packet["payload_captured"], packet["payload_off"],
        )  # fmt: skip
        self._tcp.track(flow, side, segment, data, self._clock_ns)
        if was_open and self._close_reason(flow) != BY_IDLE:
            self._leave_wheel(flow)
            self._enter_wheel(flow)

    def _track_datagram(self, flow: Flow, side: int, packet: dict[str, int]) -> None:
        flow.sides[side].state = 1
        if flow.protocol != UDP or not packet["payload_bytes"]:
            return
        flow.letter_once(side, "D")
        length = min(packet["payload_captured"], packet["payload_bytes"])
        if length and not flow.ignored:
            at = packet["payload_off"]
            self._output.act(ActionKind.DATAGRAM, flow, self._clock_ns, side, offset=at, length=length)

    def _icmp_error(self, flow: Flow, side: int, packet: dict[str, int], data: memoryview) -> None:
        """Hand out a message that quotes another packet, from its own header on, with the flow it is about."""
        kinds = {ICMP: ICMP_ERRORS, ICMP6: ICMP6_ERRORS}.get(flow.protocol, ())
        at = packet["payload_off"] - ICMP_HEADER_BYTES
        if packet["icmp_type"] not in kinds or flow.ignored or at < 0 or not self._output.payloads:
            return
        quoted = quoted_packet(packet, data)
        about = self._by_key.get(_flow_key(quoted, *_endpoints(quoted))) if quoted else None
        self._output.act(
            ActionKind.ICMP_ERROR, flow, self._clock_ns, side, aux=about.flow_id if about else 0, offset=at,
            length=packet["payload_captured"] + ICMP_HEADER_BYTES,
        )  # fmt: skip


def _endpoints(packet: dict[str, int]) -> tuple[Endpoint, Endpoint, bool]:
    """Source, target, and whether both directions are one flow. ICMP types stand where ports would."""
    source_port, target_port, two_way = packet["src_port"], packet["dst_port"], True
    if packet["protocol"] in (ICMP, ICMP6):
        answer = counterpart(packet["protocol"], packet["icmp_type"])
        two_way = answer >= 0
        source_port = packet["icmp_type"]
        target_port = answer if two_way else packet["icmp_code"]
    source = (packet["src_hi"], packet["src_lo"], source_port)
    return source, (packet["dst_hi"], packet["dst_lo"], target_port), two_way


def _flow_key(packet: dict[str, int], source: Endpoint, target: Endpoint, two_way: bool) -> bytes:
    if two_way and target < source:
        source, target = target, source
    return _KEY.pack(packet["tag"], packet["ip_version"], packet["protocol"], *source, *target)
