"""How flows begin and end: opening, timers, eviction, the record. What every packet goes through is in `plain`."""

import heapq
from collections import Counter

from lapwing.flows.carriers import Carriers
from lapwing.flows.layout import CLOSE_REASONS
from lapwing.flows.objects import flow_keys
from lapwing.flows.plain_features import FlowFeatures
from lapwing.flows.plain_output import Output
from lapwing.flows.plain_reassembly import EVERYTHING, Reassembly
from lapwing.flows.plain_state import Endpoint, Flow
from lapwing.flows.plain_tcp import TcpTracker
from lapwing.flows.rules import (
    ACK,
    BY_ACTIVE,
    BY_EVICTION,
    BY_FIN,
    BY_IDLE,
    BY_RST,
    CLOSED,
    EVICTED,
    ICMP,
    ICMP6,
    RESET,
    ROLE_FIRST,
    ROLE_PORT,
    ROLE_SYN,
    ROLE_SYN_ACK,
    SYN,
    TCP,
    UDP,
    WELL_KNOWN_PORTS,
    WHEEL_TICKS,
)
from lapwing.flows.settings import FlowSettings, IdleRule, own_timeout_ns, to_ns


class FlowLives:
    """Flows from their first packet to their record."""

    def __init__(self, settings: FlowSettings, *, payloads: bool, idle: IdleRule | None) -> None:
        self._settings = settings
        self._output = Output(payloads=payloads, early_packets=settings.early_packets)
        self._reassembly = Reassembly(settings, self._output)
        self._tcp = TcpTracker(settings, self._output, self._reassembly)
        self.carriers = Carriers()
        self._linger_ns = to_ns(settings.close_linger_s)
        self._active_ns = to_ns(settings.active_timeout_s)
        self._sweep_ns = to_ns(settings.sweep_interval_s)
        self._idle_ns = {TCP: to_ns(settings.idle_timeout_tcp_s), UDP: to_ns(settings.idle_timeout_udp_s)}
        self._other_ns = to_ns(settings.idle_timeout_other_s)
        self._idle = idle
        self._by_key: dict[bytes, Flow] = {}
        self._by_slot: dict[int, Flow] = {}
        self._free_slots: list[int] = []
        self._last_flow_id = 0
        self._clock_ns = 0
        self._tick = -1  # sweep interval the wheel stands at, -1 before the first packet
        self._wheel: dict[int, dict[int, Flow]] = {}  # occupied buckets only, each in the order flows came
        self._oldest: list[tuple[int, int, Flow]] = []
        self._counts: Counter[str] = Counter()
        self._steps = 0

    def _open(self, key: bytes, source: Endpoint, target: Endpoint, packet: dict[str, int], data: memoryview) -> Flow:
        if len(self._by_slot) >= self._settings.max_flows:
            self._evict()
        slot = self._free_slots.pop() if self._free_slots else len(self._by_slot)
        self._last_flow_id += 1
        flow = Flow(slot, self._last_flow_id, key, self._clock_ns)
        flow.ip_version, flow.protocol = packet["ip_version"], packet["protocol"]
        flow.vlan_id, flow.outer_vlan_id, flow.tag = packet["vlan_id"], packet["outer_vlan_id"], packet["tag"]
        flow.features = FlowFeatures() if self._settings.features else None
        flow.role_evidence, swapped = _roles(packet, source, target)
        flow.client, flow.server = (target, source) if swapped else (source, target)
        if swapped:
            flow.letter(0, "^")
        self._by_key[key] = self._by_slot[slot] = flow
        self._counts["flows_created"] += 1
        if packet["tunnel_depth"]:
            self._note_carrier(flow, int(swapped), packet, data, opens=True)
        self._output.opened(flow, self._clock_ns)
        if self._idle is not None:
            own_ns = own_timeout_ns(self._idle, flow_keys(self._output.key_rows[-1:])[0])
            self._counts["idle_faults"] += own_ns is None
            flow.own_idle_ns = own_ns or 0
        self._enter_wheel(flow)
        return flow

    def _note_carrier(
        self, flow: Flow, side: int, packet: dict[str, int], data: memoryview, *, opens: bool = False
    ) -> None:
        """Find out what the packets of this side come in, once."""
        if not flow.carriers[side]:
            at = packet["frame_off"]
            frame = bytes(data[at : at + packet["captured"]])
            flow.carriers[side] = self.carriers.number(frame, packet["link_type"], packet["tunnel_depth"], opens=opens)

    def _close_reason(self, flow: Flow) -> int:
        """Why the flow would end now if nothing else comes."""
        client, server = (side.state for side in flow.sides)
        if flow.protocol != TCP:
            return BY_IDLE
        if RESET in (client, server):
            return BY_RST
        return BY_FIN if client == server == CLOSED else BY_IDLE

    def _timeout_ns(self, flow: Flow) -> int:
        if self._close_reason(flow) != BY_IDLE:
            return self._linger_ns
        return flow.own_idle_ns or self._idle_ns.get(flow.protocol, self._other_ns)

    def _enter_wheel(self, flow: Flow) -> None:
        """Put the flow where the wheel looks at it when it may be over; never before the next sweep."""
        due_ns = min(flow.last_ts_ns + self._timeout_ns(flow), flow.first_ts_ns + self._active_ns)
        tick = -(-due_ns // self._sweep_ns)
        tick = min(max(tick, self._tick + 1), self._tick + WHEEL_TICKS - 1)
        flow.bucket = tick % WHEEL_TICKS
        self._wheel.setdefault(flow.bucket, {})[flow.slot] = flow

    def _leave_wheel(self, flow: Flow) -> None:
        bucket = self._wheel[flow.bucket]
        del bucket[flow.slot]
        if not bucket:
            del self._wheel[flow.bucket]

    def _expire(self) -> bool:
        """Do what is due; True when the output is full first."""
        if self._reassembly.expire(self._clock_ns):
            return True
        target = self._clock_ns // self._sweep_ns
        self._tick = max(self._tick, target - WHEEL_TICKS)
        while True:
            bucket = self._wheel.get(self._tick % WHEEL_TICKS, {})
            while bucket:
                if self._output.full:
                    return True
                self._look_at(next(iter(bucket.values())))
            if self._tick >= target:
                return False
            ahead = min(((place - self._tick - 1) % WHEEL_TICKS for place in self._wheel), default=WHEEL_TICKS)
            self._tick = min(target, self._tick + 1 + ahead)

    def _look_at(self, flow: Flow) -> None:
        self._steps += 1
        if self._clock_ns - flow.last_ts_ns >= self._timeout_ns(flow):
            self._close(flow, self._close_reason(flow))
            return
        if self._clock_ns - flow.first_ts_ns >= self._active_ns:
            self._cut_record(flow)
        self._leave_wheel(flow)
        self._enter_wheel(flow)

    def _cut_record(self, flow: Flow) -> None:
        self._output.closed(flow, BY_ACTIVE, self._clock_ns)
        self._counts["flows_active_cuts"] += 1
        flow.record_index += 1
        flow.first_ts_ns = self._clock_ns
        flow.history = ""
        flow.features = FlowFeatures() if self._settings.features else None
        for side in flow.sides:
            side.start_record()

    def _evict(self) -> None:
        """End the least recently seen flow; of several seen in one instant, the oldest."""
        while True:
            if not self._oldest:
                flows = self._by_slot.values()
                seen_before = [flow for flow in flows if flow.last_ts_ns < self._clock_ns] or flows
                self._oldest = [(flow.last_ts_ns, flow.flow_id, flow) for flow in seen_before]
                heapq.heapify(self._oldest)
                self._steps += len(flows)
            last_ts_ns, _, flow = heapq.heappop(self._oldest)
            if self._by_slot.get(flow.slot) is flow and flow.last_ts_ns == last_ts_ns:
                break
        self._output.anomaly(EVICTED, flow, self._clock_ns)
        self._close(flow, BY_EVICTION)

    def _close(self, flow: Flow, reason: int) -> None:
        for side in (0, 1):
            self._reassembly.flush_to(flow, side, EVERYTHING, self._clock_ns)
            self._reassembly.drop(flow, side)
            if flow.sides[side].holes is not None:
                self._tcp.hole_lists -= 1
        self._output.closed(flow, reason, self._clock_ns)
        self._counts["flows_ended"] += 1
        self._counts[f"flows_ended_{CLOSE_REASONS[reason]}"] += 1
        del self._by_key[flow.key], self._by_slot[flow.slot]
        self._leave_wheel(flow)
        self._free_slots.append(flow.slot)


def _roles(packet: dict[str, int], source: Endpoint, target: Endpoint) -> tuple[int, bool]:
    """Evidence for who is the client, and whether that is the target of this first packet."""
    if packet["protocol"] == TCP and packet["tcp_flags"] & SYN:
        answer = bool(packet["tcp_flags"] & ACK)
        return (ROLE_SYN_ACK if answer else ROLE_SYN), answer
    if packet["protocol"] not in (ICMP, ICMP6):
        from_system, to_system = source[2] < WELL_KNOWN_PORTS, target[2] < WELL_KNOWN_PORTS
        if from_system != to_system and source[2] and target[2]:
            return ROLE_PORT, from_system
    return ROLE_FIRST, False
