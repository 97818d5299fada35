cimport cython
from lapwing.flows.hot_quoted cimport QuotedFlows
from lapwing.flows.hot_types cimport Action, Head, Key, Packet, Record, Side, Tail, Wait, i64, u8, u16, u32, u64

cdef class FlowLives(QuotedFlows):
    cdef u64[::1] index
    cdef u64 index_mask
    cdef u32[::1] free_slots
    cdef u32 free_count, fresh_slot, active, max_flows
    cdef i64 last_flow_id, tick, sweep_ns, next_sweep_ns, active_ns
    cdef i64[::1] timeouts_ns  # linger, TCP, UDP, other
    cdef i64 shortest_ns  # of all timeouts there are: a flow seen within it is not over
    cdef u32[::1] wheel_head, wheel_tail
    cdef i64[:, ::1] queue  # flows in the order to evict: last_ts_ns, flow_id, slot
    cdef Py_ssize_t queue_at, queue_end
    cdef u32[::1] last_slots  # of all flows, in the order to flush
    cdef Py_ssize_t last_at
    cdef readonly object carriers
    cdef object idle  # the caller's rule, None without one
    cdef bint asks_idle
    cdef i64[::1] own_idle_ns  # by slot, 0: the settings hold; empty without a rule
    cdef u64 idle_faults

    cdef int _index_insert(self, u32 hashed, u32 slot) except -1 nogil
    cdef int _index_remove(self, u32 hashed, u32 slot) except -1 nogil
    cdef int _grow_index(self) except -1
    cdef Py_ssize_t _open(self, const Packet *packet, u32 hashed, u16 source_port, u16 target_port) except -1 nogil
    cdef bint _take_roles(self, const Packet *packet, u32 slot, u16 source_port, u16 target_port) except -1 nogil
    cdef int _note_carrier(self, u32 slot, int side, const Packet *packet, bint opens) except -1 nogil
    cdef int _ask_carrier(self, u32 slot, int side, const Packet *packet, bint opens) except -1
    cdef int _close(self, u32 slot, int reason) except -1 nogil
    cdef int _evict(self) except -1 nogil
    cdef int _line_up(self) except -1
    cdef int _line_up_all(self) except -1
    cdef int _timeout_kind(self, const Head *head) except -1 nogil
    cdef i64 _timeout_of(self, const Head *head, u32 slot) except -1 nogil
    cdef int _ask_idle(self, u32 slot) except -1
    cdef int _expire(self) except -1 nogil
    cdef int _look_at(self, u32 slot) except -1 nogil
    cdef int _enter_wheel(self, u32 slot) except -1 nogil
    cdef int _link(self, u32 slot, u16 bucket) except -1 nogil
    cdef int _leave_wheel(self, u32 slot) except -1 nogil
