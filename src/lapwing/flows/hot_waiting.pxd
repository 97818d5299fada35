from lapwing.flows.hot_rows cimport FlowRows
from lapwing.flows.hot_types cimport Action, Head, Key, Packet, Record, Side, Tail, Wait, i64, u8, u16, u32, u64

cdef class WaitingBytes(FlowRows):
    cdef Wait[::1] waits
    cdef u32[:, ::1] page_tables
    cdef u8[:, ::1] pages
    cdef u32[::1] free_waits, free_pages, wait_head, wait_tail
    cdef i64[::1] delays
    cdef u32 free_wait_count, fresh_wait, wait_count, free_page_count, fresh_page, page_count, max_pages, page_slots
    cdef i64 window
    cdef readonly u64 step_count  # of `plain.FlowTable.step_count`
    cdef bint last_wins

    cdef i64 _offset_of(self, const Side *side, u32 sequence) except? -1 nogil
    cdef int _segment(self, u32 slot, int side, i64 offset, i64 end, i64 sent, u32 captured, u32 at) except -1 nogil
    cdef int _in_order(self, u32 slot, int side, u32 wait, i64 offset, i64 end, i64 delivered, u32 captured, u32 at) except -1 nogil
    cdef int _hold(self, u32 slot, int side, u32 wait, i64 offset, u32 captured, u32 at) except -1 nogil
    cdef i64 _insert(self, u32 wait, i64 start, u32 length, u32 at) except -1 nogil
    cdef int _make_room(self, u32 slot, int side, u32 wait, i64 start, i64 end) except -1 nogil
    cdef bint _has_room(self, u32 wait, i64 start, i64 end) except -1 nogil
    cdef bint _present(self, u32 wait, i64 offset) except -1 nogil
    cdef u32 _page_at(self, u32 wait, i64 offset) except 0 nogil
    cdef int _put_eight(self, u32 page, u32 place, u32 at) except -1 nogil
    cdef int _take_eight(self, u32 page, u32 place) except -1 nogil
    cdef u32 _start_waiting(self, u32 slot, int side, i64 delivered) except 0 nogil
    cdef int _set_deadline(self, u32 wait) except -1 nogil
    cdef int _enqueue(self, u32 wait, int wait_class, i64 up_to) except -1 nogil
    cdef int _dequeue(self, u32 wait) except -1 nogil
    cdef int _acknowledged(self, u32 slot, int side, i64 acked) except -1 nogil
    cdef int _expire_waits(self) except -1 nogil
    cdef int _give_up(self, u32 wait, i64 limit) except -1 nogil
    cdef int _flush_to(self, u32 slot, int side, i64 limit) except -1 nogil
    cdef int _deliver_front(self, u32 wait) except -1 nogil
    cdef i64 _next_present(self, u32 wait) except -2 nogil
    cdef int _skip(self, u32 wait, i64 length) except -1 nogil
    cdef int _finish_side(self, u32 slot, int side) except -1 nogil
    cdef int _drop_wait(self, u32 slot, int side) except -1 nogil
