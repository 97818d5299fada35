# cython: show_performance_hints=False
# mypy: ignore-errors
# ruff: noqa: F403, F405 -- types and numbers of hot_types.pxd
"""Ordered bytes from TCP segments, compiled (types in `.pxd`). `plain_reassembly.py` defines what it does.

Bytes beyond a hole are copied to pages, found through a small ring of page numbers per waiting side, with a bit per
byte that is there. So the cost of a segment depends on its own length alone, however many wait.
"""

import cython
import numpy as np
from cython.cimports.lapwing.flows.hot_types import *

from lapwing.flows.hot_rows import FlowRows
from lapwing.flows.settings import to_ns

if not cython.compiled:
    raise ImportError("lapwing.flows.hot_waiting runs only compiled; lapwing.flows.plain is its twin")

_WAIT = [(f"time_{number}", "<i8") for number in range(3)] + [(f"half_{number}", "<u4") for number in range(5)]
_WAIT_DTYPE = np.dtype([*_WAIT, ("side", "u1"), ("wait_class", "u1")], align=True)


class WaitingBytes(FlowRows):
    """The bytes that wait for holes, of all flows, with their deadlines. Number 0 is no wait, and no page."""

    def __init__(self, settings, *, payloads):
        FlowRows.__init__(self, settings, payloads=payloads)
        self.window = settings.ooo_buffer_bytes
        self.last_wins = settings.overlap_policy == "last"
        deadline = to_ns(settings.ooo_deadline_s)
        self.delays = np.array([to_ns(settings.ack_grace_s), deadline, 4 * deadline], np.int64)
        self.max_pages = settings.reassembly_memcap_bytes // PAGE
        self.page_slots = settings.ooo_buffer_bytes // PAGE + 2  # a window that begins inside a page, and its end
        self.waits = np.zeros(self.max_pages + 1, _WAIT_DTYPE)
        self.page_tables = np.zeros((self.max_pages + 1, self.page_slots), np.uint32)
        self.pages = np.zeros((self.max_pages + 1, PAGE + PAGE // 8), np.uint8)
        self.free_waits = np.zeros(self.max_pages + 1, np.uint32)
        self.free_pages = np.zeros(self.max_pages + 1, np.uint32)
        self.wait_head = np.zeros(3, np.uint32)
        self.wait_tail = np.zeros(3, np.uint32)
        self.no_data = np.zeros(0, np.uint8)
        self.data = self.no_data

    def _offset_of(self, side, sequence):
        """Stream offset of a sequence number, the one nearest to what was sent last."""
        delta: u32 = sequence - side.base - cython.cast(u32, side.next_offset)
        return side.next_offset + cython.cast(cython.int, delta)

    def _segment(self, slot, side, offset, end, sent, captured, at):
        """Take stream bytes [offset, end), of which `captured` lie at `at` in the batch; before, `sent` were sent."""
        tail: cython.pointer[Tail] = cython.address(self.tails[slot])
        wait: u32 = tail.server_wait if side else tail.client_wait
        if wait:
            self._make_room(slot, side, wait, offset, offset + captured)
        delivered: i64 = self.waits[wait].delivered if wait else sent
        if offset > delivered and not wait:
            if offset + captured > delivered + self.window or not self._has_room(0, offset, offset + captured):
                self._anomaly(REASSEMBLY_OVERFLOW, slot, side, 1)
                self._act(DO_GAP, slot, side, 0, 0, cython.cast(u32, offset - delivered), CHUNK)
                delivered = offset
            else:
                wait = self._start_waiting(slot, side, delivered)
        if not wait or (offset <= delivered and not self.waits[wait].runs):
            return self._in_order(slot, side, wait, offset, end, delivered, captured, at)
        return self._hold(slot, side, wait, offset, captured, at)

    def _in_order(self, slot, side, wait, offset, end, delivered, captured, at):
        known: i64 = offset + captured
        if known > delivered:
            skip: u32 = cython.cast(u32, delivered - offset)
            self._act(DO_SEGMENT, slot, side, 0, at + skip, captured - skip, CHUNK)
            delivered = known
        if end > delivered:
            self._act(DO_GAP, slot, side, 0, 0, cython.cast(u32, end - delivered), CHUNK)
            delivered = end
        if wait:
            self._skip(wait, delivered - self.waits[wait].delivered)
            if delivered < self.sides[slot, side].next_offset:
                return 0
        return self._finish_side(slot, side)

    def _hold(self, slot, side, wait, offset, captured, at):
        start: i64 = max(offset, self.waits[wait].delivered)
        stop: i64 = min(offset + captured, self.waits[wait].delivered + self.window)
        if start < stop and self._has_room(wait, start, stop):
            conflicts: i64 = self._insert(
                wait, start, cython.cast(u32, stop - start), at + cython.cast(u32, start - offset)
            )
            if conflicts:
                self._anomaly(OVERLAP_CONFLICT, slot, side, cython.cast(u32, conflicts))
        self._deliver_front(wait)
        if self.waits[wait].runs > MAX_RUNS:
            self._anomaly(REASSEMBLY_OVERFLOW, slot, side, 1)
            self._flush_to(slot, side, self._next_present(wait))
        elif self.waits[wait].delivered >= self.sides[slot, side].next_offset:
            self._finish_side(slot, side)
        return 0

    def _make_room(self, slot, side, wait, start, end):
        """Give up holes until [start, end) may be held, or until nothing waits before it."""
        if end > self.waits[wait].delivered + self.window:
            self._anomaly(REASSEMBLY_OVERFLOW, slot, side, 1)
            self._give_up(wait, min(end - self.window, start))
        kept: i64 = min(end, self.waits[wait].delivered + self.window)
        if not self._has_room(wait, max(start, self.waits[wait].delivered), kept):
            self._anomaly(REASSEMBLY_OVERFLOW, slot, side, 1)
            self._give_up(wait, start)
        return 0

    def _has_room(self, wait, start, end):
        """Whether there are pages for [start, end), and a place for another wait when `wait` is 0."""
        if not wait and self.wait_count >= self.max_pages:
            return False
        if start >= end:
            return True
        needed: i64 = 0
        page: i64
        for page in range(start // PAGE, (end - 1) // PAGE + 1):
            needed += wait == 0 or self.page_tables[wait, page % self.page_slots] == 0
        return self.page_count + needed <= self.max_pages

    def _present(self, wait, offset):
        page: u32 = self.page_tables[wait, (offset // PAGE) % self.page_slots]
        if page == 0:
            return False
        at: u32 = cython.cast(u32, offset % PAGE)
        return (self.pages[page, PAGE + (at >> 3)] >> (at & 7)) & 1

    def _page_at(self, wait, offset):
        """Number of the page that holds a stream offset, a fresh one where there was none."""
        entry: i64 = (offset // PAGE) % self.page_slots
        page: u32 = self.page_tables[wait, entry]
        if page:
            return page
        if self.free_page_count:
            self.free_page_count -= 1
            page = self.free_pages[self.free_page_count]
        else:
            self.fresh_page += 1
            page = self.fresh_page
        k: cython.int
        for k in range(PAGE, PAGE + PAGE // 8):
            self.pages[page, k] = 0
        self.page_tables[wait, entry] = page
        self.page_count += 1
        self.waits[wait].pages += 1
        return page

    def _insert(self, wait, start, length, at):
        """Copy bytes of the batch to stream offset `start`; returns how many contradict what was there."""
        self.step_count += length
        waiting: cython.pointer[Wait] = cython.address(self.waits[wait])
        before: cython.bint = start > waiting.delivered and self._present(wait, start - 1)
        previous: cython.bint = before
        begun: u32 = 0  # runs that begin inside, or right after, what fills up now
        conflicts: i64 = 0
        done: u32 = 0
        while done < length:
            page: u32 = self._page_at(wait, start + done)
            place: u32 = cython.cast(u32, (start + done) % PAGE)
            last: u32 = place + min(length - done, PAGE - place)
            while place < last:
                if place & 7 == 0 and last - place >= 8 and self.pages[page, PAGE + (place >> 3)] == 0:
                    self._put_eight(page, place, at + done)
                    place += 8
                    done += 8
                    previous = False
                    continue
                byte: u8 = self.data[at + done]
                done += 1
                mask: u8 = cython.cast(u8, 1 << (place & 7))
                if self.pages[page, PAGE + (place >> 3)] & mask:
                    begun += not previous
                    previous = True
                    conflicts += self.pages[page, place] != byte
                    if self.last_wins:
                        self.pages[page, place] = byte
                else:
                    previous = False
                    self.pages[page, PAGE + (place >> 3)] |= mask
                    self.pages[page, place] = byte
                place += 1
        begun += not previous and self._present(wait, start + length)
        waiting.runs += 1
        waiting.runs -= before + begun
        return conflicts

    def _put_eight(self, page, place, at):
        """Copy eight bytes to where nothing is yet, the way of nearly all of them."""
        k: u32
        for k in range(8):
            self.pages[page, place + k] = self.data[at + k]
        self.pages[page, PAGE + (place >> 3)] = 0xFF
        return 0

    def _start_waiting(self, slot, side, delivered):
        wait: u32
        if self.free_wait_count:
            self.free_wait_count -= 1
            wait = self.free_waits[self.free_wait_count]
        else:
            self.fresh_wait += 1
            wait = self.fresh_wait
        self.wait_count += 1
        waiting: cython.pointer[Wait] = cython.address(self.waits[wait])
        waiting.delivered = delivered
        waiting.slot = slot
        waiting.side = side
        waiting.runs = waiting.pages = 0
        if side:
            self.tails[slot].server_wait = wait
        else:
            self.tails[slot].client_wait = wait
        self.heads[slot].flags |= EXTRA << side
        self._set_deadline(wait)
        return wait

    def _set_deadline(self, wait):
        """Queue by what is known about the hole at the front."""
        waiting: cython.pointer[Wait] = cython.address(self.waits[wait])
        this: cython.pointer[Side] = cython.address(self.sides[waiting.slot, waiting.side])
        other: cython.pointer[Side] = cython.address(self.sides[waiting.slot, 1 - waiting.side])
        acked: i64 = self._offset_of(this, other.ack) if other.flags & HAS_ACK else waiting.delivered
        if acked > waiting.delivered:
            return self._enqueue(wait, CONFIRMED, min(acked, this.next_offset))
        head: cython.pointer[Head] = cython.address(self.heads[waiting.slot])
        state: cython.int = head.client_state if waiting.side else head.server_state
        return self._enqueue(wait, ONE_SIDED if state == INACTIVE else UNCONFIRMED, this.next_offset)

    def _enqueue(self, wait, wait_class, up_to):
        waiting: cython.pointer[Wait] = cython.address(self.waits[wait])
        waiting.wait_class = wait_class
        waiting.up_to = up_to
        waiting.due_ns = self.clock_ns + self.delays[wait_class]
        waiting.next = 0
        waiting.prev = self.wait_tail[wait_class]
        if waiting.prev:
            self.waits[waiting.prev].next = wait
        else:
            self.wait_head[wait_class] = wait
        self.wait_tail[wait_class] = wait
        return 0

    def _dequeue(self, wait):
        waiting: cython.pointer[Wait] = cython.address(self.waits[wait])
        if waiting.prev:
            self.waits[waiting.prev].next = waiting.next
        else:
            self.wait_head[waiting.wait_class] = waiting.next
        if waiting.next:
            self.waits[waiting.next].prev = waiting.prev
        else:
            self.wait_tail[waiting.wait_class] = waiting.prev
        return 0

    def _acknowledged(self, slot, side, acked):
        """The other side has everything before stream offset `acked`."""
        wait: u32 = self.tails[slot].server_wait if side else self.tails[slot].client_wait
        if not wait or self.waits[wait].wait_class == CONFIRMED or acked <= self.waits[wait].delivered:
            return 0
        self._dequeue(wait)
        return self._enqueue(wait, CONFIRMED, min(acked, self.sides[slot, side].next_offset))

    def _expire_waits(self):
        """Give up holes whose deadline passed; 1 when the output is full first."""
        wait_class: cython.int
        for wait_class in range(3):
            while self.wait_head[wait_class]:
                wait: u32 = self.wait_head[wait_class]
                if self.waits[wait].due_ns > self.clock_ns:
                    break
                if self._full():
                    return 1
                self.step_count += 1
                slot: u32 = self.waits[wait].slot
                side: cython.int = self.waits[wait].side
                # Queued anew first: when everything is handed out, the end of the wait takes it out again.
                up_to: i64 = self.waits[wait].up_to
                self._dequeue(wait)
                self._enqueue(wait, UNCONFIRMED, up_to)
                self._flush_to(slot, side, up_to)
                if (self.tails[slot].server_wait if side else self.tails[slot].client_wait) == wait:
                    self._dequeue(wait)
                    self._set_deadline(wait)
        return 0

    def _flush_to(self, slot, side, limit):
        """Hand out what is there before stream offset `limit`, and gaps for what is not."""
        wait: u32 = self.tails[slot].server_wait if side else self.tails[slot].client_wait
        if not wait:
            return 0
        self._give_up(wait, limit)
        if self.waits[wait].delivered >= self.sides[slot, side].next_offset:
            self._finish_side(slot, side)
        return 0

    def _give_up(self, wait, limit):
        waiting: cython.pointer[Wait] = cython.address(self.waits[wait])
        while waiting.delivered < limit:
            present: i64 = self._next_present(wait)
            edge: i64 = present if present >= 0 else self.sides[waiting.slot, waiting.side].next_offset
            hole: i64 = min(limit, edge) - waiting.delivered
            if hole > 0:
                self._act(DO_GAP, waiting.slot, waiting.side, 0, 0, cython.cast(u32, hole), CHUNK)
                self._skip(wait, hole)
            if present < 0 or waiting.delivered < present:
                break
            self._deliver_front(wait)
        return self._deliver_front(wait)

    def _deliver_front(self, wait):
        """Hand out the bytes that are there, from what was delivered on."""
        waiting: cython.pointer[Wait] = cython.address(self.waits[wait])
        if not waiting.runs or not self._present(wait, waiting.delivered):
            return 0
        arena_first: u32 = self.arena_used
        offset: i64 = waiting.delivered
        in_run: cython.bint = True
        while in_run:
            page: u32 = self.page_tables[wait, (offset // PAGE) % self.page_slots]
            place: u32 = cython.cast(u32, offset % PAGE)
            while place < PAGE:
                if place & 7 == 0 and self.pages[page, PAGE + (place >> 3)] == 0xFF:
                    self._take_eight(page, place)
                    place += 8
                    offset += 8
                    continue
                mask: u8 = cython.cast(u8, 1 << (place & 7))
                if not self.pages[page, PAGE + (place >> 3)] & mask:
                    in_run = False
                    break
                self.pages[page, PAGE + (place >> 3)] ^= mask
                self.arena_out[self.arena_used] = self.pages[page, place]
                self.arena_used += 1
                place += 1
                offset += 1
            # The next place is in another page, which may not be held; a run is never longer than the window.
            in_run = in_run and self._present(wait, offset)
        waiting.runs -= 1
        self.step_count += self.arena_used - arena_first
        self._act(DO_SEGMENT, waiting.slot, waiting.side, 0, arena_first, self.arena_used - arena_first, ARENA)
        return self._skip(wait, offset - waiting.delivered)

    def _take_eight(self, page, place):
        """Hand out eight bytes that are all there."""
        k: u32
        for k in range(8):
            self.arena_out[self.arena_used + k] = self.pages[page, place + k]
        self.arena_used += 8
        self.pages[page, PAGE + (place >> 3)] = 0
        return 0

    def _next_present(self, wait):
        """Stream offset of the first byte that is there, -1 when there is none."""
        waiting: cython.pointer[Wait] = cython.address(self.waits[wait])
        if not waiting.runs:
            return -1
        offset: i64 = waiting.delivered
        end: i64 = waiting.delivered + self.window + 1
        while offset < end:
            self.step_count += 1
            page: u32 = self.page_tables[wait, (offset // PAGE) % self.page_slots]
            if not page:
                offset = (offset // PAGE + 1) * PAGE
            elif offset % 8 == 0 and self.pages[page, PAGE + offset % PAGE // 8] == 0:
                offset += 8
            elif self._present(wait, offset):
                return offset
            else:
                offset += 1
        return -1

    def _skip(self, wait, length):
        """Move on; nothing there is lost by it. Frees the pages passed."""
        waiting: cython.pointer[Wait] = cython.address(self.waits[wait])
        page: i64 = waiting.delivered // PAGE
        waiting.delivered += length
        last: i64 = min(waiting.delivered // PAGE, page + self.page_slots)
        while page < last and waiting.pages:
            self.step_count += 1
            entry: i64 = page % self.page_slots
            if self.page_tables[wait, entry]:
                self.free_pages[self.free_page_count] = self.page_tables[wait, entry]
                self.free_page_count += 1
                self.page_tables[wait, entry] = 0
                self.page_count -= 1
                waiting.pages -= 1
            page += 1
        return 0

    def _finish_side(self, slot, side):
        """Nothing waits any more: everything sent was handed out."""
        self._drop_wait(slot, side)
        this: cython.pointer[Side] = cython.address(self.sides[slot, side])
        if this.flags & HAS_FIN and not this.flags & FIN_TOLD:
            this.flags |= FIN_TOLD
            self._act(DO_SIDE_CLOSED, slot, side, 0, 0, 0, CHUNK)
        return 0

    def _drop_wait(self, slot, side):
        """Forget what waits."""
        tail: cython.pointer[Tail] = cython.address(self.tails[slot])
        wait: u32 = tail.server_wait if side else tail.client_wait
        if not wait:
            return 0
        if side:
            tail.server_wait = 0
        else:
            tail.client_wait = 0
        self._dequeue(wait)
        self._skip(wait, (self.page_slots + 1) * PAGE)
        self.free_waits[self.free_wait_count] = wait
        self.free_wait_count += 1
        self.wait_count -= 1
        return 0
