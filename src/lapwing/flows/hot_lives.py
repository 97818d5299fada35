# cython: show_performance_hints=False
# mypy: ignore-errors
# ruff: noqa: F403, F405 -- types and numbers of hot_types.pxd
"""How flows begin and end, compiled: slots, index, timers, eviction (Cython, pure-Python mode; types in `.pxd`).

`plain_lives.py` defines what it does. What runs here runs once or twice a flow; `hot` has what runs for every packet.
Timers are looked at lazily, so a packet moves no list; the order of eviction is worked out only when the table is full.
"""

import cython
import numpy as np
from cython.cimports.lapwing.flows.hot_types import *

from lapwing.flows.carriers import Carriers
from lapwing.flows.hot_quoted import QuotedFlows
from lapwing.flows.objects import flow_keys
from lapwing.flows.settings import own_timeout_ns, to_ns

if not cython.compiled:
    raise ImportError("lapwing.flows.hot_lives runs only compiled; lapwing.flows.plain_lives is its twin")

FIRST_INDEX = cython.declare(cython.int, 4096)  # entries of the index; it doubles when half full
EVICTION_BATCH = cython.declare(cython.int, 65_536)  # flows put in order at once when the table is full
EVERYTHING = cython.declare(cython.longlong, (1 << 63) - 1)


class FlowLives(QuotedFlows):
    """Flows from their first packet to their record."""

    def __init__(self, settings, *, payloads, idle):
        QuotedFlows.__init__(self, settings, payloads=payloads)
        self.active_ns = to_ns(settings.active_timeout_s)
        self.sweep_ns = to_ns(settings.sweep_interval_s)
        silence = (settings.idle_timeout_tcp_s, settings.idle_timeout_udp_s, settings.idle_timeout_other_s)
        timeouts_ns = [to_ns(seconds) for seconds in (settings.close_linger_s, *silence)]
        self.timeouts_ns = np.array(timeouts_ns, np.int64)
        self.shortest_ns = min(timeouts_ns)
        self.tick = -1
        self.max_flows = settings.max_flows
        self.free_slots = np.zeros(settings.max_flows, np.uint32)
        self.index = np.zeros(FIRST_INDEX, np.uint64)
        self.index_mask = FIRST_INDEX - 1
        self.queue = np.zeros((0, 3), np.int64)
        self.last_slots = np.zeros(0, np.uint32)
        self.wheel_head = np.zeros(WHEEL_TICKS, np.uint32)
        self.wheel_tail = np.zeros(WHEEL_TICKS, np.uint32)
        self.carriers = Carriers()
        self.idle = idle
        self.asks_idle = idle is not None
        self.own_idle_ns = np.zeros(settings.max_flows if self.asks_idle else 0, np.int64)

    # The index: open addressing with linear probing; an entry is the hash in the upper half, slot + 1 in the lower.

    def _index_insert(self, hashed, slot):
        at: u64 = hashed & self.index_mask
        while self.index[at]:
            at = (at + 1) & self.index_mask
        self.index[at] = cython.cast(u64, hashed) << 32 | (slot + 1)
        return 0

    def _index_remove(self, hashed, slot):
        """Take an entry out and move later ones of the same probe run back, so that no tombstones remain."""
        mask: u64 = self.index_mask
        hole: u64 = hashed & mask
        wanted: u64 = cython.cast(u64, hashed) << 32 | (slot + 1)
        while self.index[hole] != wanted:
            if self.index[hole] == 0:
                return 0
            self.step_count += 1
            hole = (hole + 1) & mask
        at: u64 = (hole + 1) & mask
        entry: u64 = self.index[at]
        while entry:
            if ((at - (entry >> 32)) & mask) >= ((at - hole) & mask):
                self.index[hole] = entry
                hole = at
            self.step_count += 1
            at = (at + 1) & mask
            entry = self.index[at]
        self.index[hole] = 0
        return 0

    def _grow_index(self):
        old: u64[::1] = self.index
        self.index = np.zeros(2 * old.shape[0], np.uint64)
        self.index_mask = self.index.shape[0] - 1
        k: cython.Py_ssize_t
        self.step_count += old.shape[0]
        for k in range(old.shape[0]):
            if old[k]:
                self._index_insert(cython.cast(u32, old[k] >> 32), cython.cast(u32, old[k]) - 1)
        return 0

    def _open(self, packet, hashed, source_port, target_port):
        """Make a flow of its first packet."""
        if self.active >= self.max_flows:
            self._evict()
        if 2 * self.active > self.index_mask:
            with cython.gil:
                self._grow_index()
        slot: u32
        if self.free_count:
            self.free_count -= 1
            slot = self.free_slots[self.free_count]
            self._clear_rows(slot)
        else:
            slot = self.fresh_slot
            self.fresh_slot += 1
        head: cython.pointer[Head] = cython.address(self.heads[slot])
        self.last_flow_id += 1
        head.flow_id = self.last_flow_id
        head.last_ts_ns = self.clock_ns
        head.flags = LIVE
        head.tag = packet.tag
        self.tails[slot].vlan_id = packet.vlan_id
        self.tails[slot].outer_vlan_id = packet.outer_vlan_id
        self.tails[slot].client_carrier = self.tails[slot].server_carrier = 0
        head.ip_version = packet.ip_version
        head.protocol = packet.protocol
        head.client_state = head.server_state = INACTIVE
        head.client_letters = head.server_letters = 0
        self.tails[slot].hash = hashed
        self.tails[slot].first_ts_ns = self.clock_ns
        swapped: cython.bint = self._take_roles(packet, slot, source_port, target_port)
        head.client_hi = packet.dst_hi if swapped else packet.src_hi
        head.client_lo = packet.dst_lo if swapped else packet.src_lo
        head.server_hi = packet.src_hi if swapped else packet.dst_hi
        head.server_lo = packet.src_lo if swapped else packet.dst_lo
        head.client_port = target_port if swapped else source_port
        head.server_port = source_port if swapped else target_port
        if swapped:
            self._letter(slot, 0, ord("^"))
        self._index_insert(hashed, slot)
        self.active += 1
        self.counts[CREATED] += 1
        if packet.tunnel_depth:
            self._note_carrier(slot, swapped, packet, True)
        self._write_key(slot)
        if self.asks_idle:
            with cython.gil:
                self._ask_idle(slot)
        self._enter_wheel(slot)
        return slot

    def _take_roles(self, packet, slot, source_port, target_port):
        """Note the evidence for who is the client; true when it is the target of this first packet."""
        tail: cython.pointer[Tail] = cython.address(self.tails[slot])
        if packet.protocol == TCP and packet.tcp_flags & SYN:
            tail.role_evidence = ROLE_SYN_ACK if packet.tcp_flags & ACK else ROLE_SYN
            return (packet.tcp_flags & ACK) != 0
        tail.role_evidence = ROLE_FIRST
        if packet.protocol != ICMP and packet.protocol != ICMP6 and source_port and target_port:
            if (source_port < WELL_KNOWN_PORTS) != (target_port < WELL_KNOWN_PORTS):
                tail.role_evidence = ROLE_PORT
                return source_port < WELL_KNOWN_PORTS
        return False

    def _note_carrier(self, slot, side, packet, opens):
        """Find out what the packets of this side come in, once."""
        tail: cython.pointer[Tail] = cython.address(self.tails[slot])
        if (tail.server_carrier if side else tail.client_carrier) == 0:
            with cython.gil:
                self._ask_carrier(slot, side, packet, opens)
        return 0

    def _ask_carrier(self, slot, side, packet, opens):
        first: cython.Py_ssize_t = packet.frame_off
        frame = bytes(self.data[first : first + packet.captured])
        number: u32 = self.carriers.number(frame, packet.link_type, packet.tunnel_depth, opens=bool(opens))
        if side:
            self.tails[slot].server_carrier = number
        else:
            self.tails[slot].client_carrier = number
        return 0

    def _close(self, slot, reason):
        self._flush_to(slot, 0, EVERYTHING)
        self._drop_wait(slot, 0)
        self._flush_to(slot, 1, EVERYTHING)
        self._drop_wait(slot, 1)
        self._drop_holes(slot)
        self._write_record(slot, reason)
        self.counts[ENDED + reason] += 1
        self._index_remove(self.tails[slot].hash, slot)
        self._leave_wheel(slot)
        self.heads[slot].flags = 0
        self.free_slots[self.free_count] = slot
        self.free_count += 1
        self.active -= 1
        return 0

    def _evict(self):
        """End the least recently seen flow; of several seen in one instant, the oldest.

        The queue holds the oldest flows in order, as they were when it was made. A flow seen since is newer than all
        of them, and so are flows opened since; so what is still as it was is the oldest.
        """
        while True:
            if self.queue_at >= self.queue_end:
                with cython.gil:
                    self._line_up()
            slot: u32 = cython.cast(u32, self.queue[self.queue_at, 2])
            head: cython.pointer[Head] = cython.address(self.heads[slot])
            same: cython.bint = head.flow_id == self.queue[self.queue_at, 1]
            same = same and head.flags & LIVE and head.last_ts_ns == self.queue[self.queue_at, 0]
            self.queue_at += 1
            if same:
                break
        self._anomaly(EVICTED, slot, 0, 1)
        return self._close(slot, BY_EVICTION)

    def _line_up(self):
        """Put some live flows in order, by when they were last seen."""
        self.step_count += self.fresh_slot
        heads = self._heads[: self.fresh_slot]
        slots = np.flatnonzero(heads["flags"] & LIVE)
        seen, ids = heads["last_ts_ns"][slots], heads["flow_id"][slots]
        chosen = np.flatnonzero(seen < self.clock_ns)
        if len(chosen):
            slots, seen, ids = slots[chosen], seen[chosen], ids[chosen]
        if len(seen) > EVICTION_BATCH:
            chosen = np.flatnonzero(seen <= np.partition(seen, EVICTION_BATCH)[EVICTION_BATCH])
            slots, seen, ids = slots[chosen], seen[chosen], ids[chosen]
        order = np.lexsort((ids, seen))[:EVICTION_BATCH]
        self.queue = np.stack((seen[order], ids[order], slots[order]), axis=1)
        self.queue_at = 0
        self.queue_end = len(order)
        return 0

    def _line_up_all(self):
        """Put all live flows in order, by age. There may be many, so no more than their slots is kept."""
        self.step_count += self.fresh_slot
        heads = self._heads[: self.fresh_slot]
        slots = np.flatnonzero(heads["flags"] & LIVE).astype(np.uint32)
        self.last_slots = slots[np.argsort(heads["flow_id"][slots])]
        self.last_at = 0
        self.queue_at = self.queue_end
        return 0

    def _timeout_kind(self, head):
        """Which of `timeouts_ns` governs the flow."""
        if head.protocol != TCP:
            return 2 if head.protocol == UDP else 3
        if head.client_state < CLOSED and head.server_state < CLOSED:
            return 1
        return 1 if close_reason(head) == BY_IDLE else 0

    def _timeout_of(self, head, slot):
        """The silence in nanoseconds that ends the flow: its own, unless it has closed already."""
        kind: cython.int = self._timeout_kind(head)
        if self.asks_idle and kind and self.own_idle_ns[slot]:
            return self.own_idle_ns[slot]
        return self.timeouts_ns[kind]

    def _ask_idle(self, slot):
        """Ask the rule about the flow whose key was just written."""
        found = own_timeout_ns(self.idle, flow_keys(self._keys[self.key_count - 1 : self.key_count])[0])
        self.idle_faults += found is None
        self.own_idle_ns[slot] = found or 0
        if found:
            self.shortest_ns = min(self.shortest_ns, found)
        return 0

    # The timer wheel: a doubly linked list of flows per sweep interval, in the order they came; links are slot + 1.

    def _expire(self):
        """Do what is due; 1 when the output is full first."""
        if self.wait_count and self._expire_waits():
            return 1
        target: i64 = self.clock_ns // self.sweep_ns
        self.tick = max(self.tick, target - WHEEL_TICKS)
        while True:
            bucket: i64 = self.tick % WHEEL_TICKS
            while self.wheel_head[bucket]:
                if self._full():
                    return 1
                self._look_at(self.wheel_head[bucket] - 1)
            if self.tick >= target:
                break
            self.step_count += 1
            self.tick += 1
        self.next_sweep_ns = (self.tick + 1) * self.sweep_ns
        return 0

    def _look_at(self, slot):
        self.step_count += 1
        head: cython.pointer[Head] = cython.address(self.heads[slot])
        if self.clock_ns - head.last_ts_ns >= self._timeout_of(head, slot):
            return self._close(slot, close_reason(head))
        self._leave_wheel(slot)
        if self.clock_ns - self.tails[slot].first_ts_ns >= self.active_ns:
            self._write_record(slot, BY_ACTIVE)
            self.counts[CUTS] += 1
            self._start_record(slot)
        return self._enter_wheel(slot)

    def _enter_wheel(self, slot):
        """Put the flow where the wheel looks at it when it may be over; never before the next sweep."""
        head: cython.pointer[Head] = cython.address(self.heads[slot])
        timeout_ns: i64 = self._timeout_of(head, slot)
        due_ns: i64 = min(head.last_ts_ns + timeout_ns, self.tails[slot].first_ts_ns + self.active_ns)
        tick: i64 = (due_ns + self.sweep_ns - 1) // self.sweep_ns
        tick = min(max(tick, self.tick + 1), self.tick + WHEEL_TICKS - 1)
        return self._link(slot, cython.cast(u16, tick % WHEEL_TICKS))

    def _link(self, slot, bucket):
        """Put the flow at the end of a list of the wheel."""
        tail: cython.pointer[Tail] = cython.address(self.tails[slot])
        self.heads[slot].bucket = bucket
        tail.timer_next = 0
        tail.timer_prev = self.wheel_tail[bucket]
        if tail.timer_prev:
            self.tails[tail.timer_prev - 1].timer_next = slot + 1
        else:
            self.wheel_head[bucket] = slot + 1
        self.wheel_tail[bucket] = slot + 1
        return 0

    def _leave_wheel(self, slot):
        """Take the flow out of its list."""
        bucket: u16 = self.heads[slot].bucket
        tail: cython.pointer[Tail] = cython.address(self.tails[slot])
        if tail.timer_prev:
            self.tails[tail.timer_prev - 1].timer_next = tail.timer_next
        else:
            self.wheel_head[bucket] = tail.timer_next
        if tail.timer_next:
            self.tails[tail.timer_next - 1].timer_prev = tail.timer_prev
        else:
            self.wheel_tail[bucket] = tail.timer_prev
        return 0
