cimport cython
from lapwing.flows.hot_side cimport SideFlows
from lapwing.flows.hot_types cimport Action, Head, Key, Packet, Record, Side, Tail, Wait, i64, u8, u16, u32, u64

@cython.final
cdef class FlowTable(SideFlows):
    cdef const Packet[::1] packets  # input of the current call
    cdef object _packets  # the array they are in, to know it when it comes again
    cdef dict _views  # of such arrays by their id: the array, which keeps the id its own, and its rows
    cdef Py_ssize_t cursor
    cdef u64[::1] index
    cdef u32[::1] free_slots, hashes
    cdef u32 free_count, fresh_slot, active, max_flows
    cdef u64 index_mask, hash_0, hash_1, packet_count, regression_count
    cdef i64 last_flow_id, tick, sweep_ns, next_sweep_ns
    cdef i64 active_ns, behind_ns
    cdef i64[::1] timeouts_ns  # linger, TCP, UDP, other
    cdef i64[:, ::1] queue  # flows in the order to evict or to flush: last_ts_ns, flow_id, slot
    cdef Py_ssize_t queue_at, queue_end
    cdef bint finishing
    cdef object idle  # the caller's rule, None without one
    cdef bint asks_idle
    cdef i64[::1] own_idle_ns  # by slot, 0: the settings hold; empty without a rule
    cdef u64 idle_faults
    cdef i64 timeout_ns, quoted_flow_id  # what was looked up last

    cdef int _take_rows(self, object packets) except -1
    cdef Py_ssize_t _run(self, Py_ssize_t start, Py_ssize_t count) except -1 nogil
    cdef int _prefetch(self, u32 hashed) except -1 nogil
    cdef int _set_clock(self, i64 now_ns) except -1 nogil
    cdef int _step(self, const Packet *packet, u32 hashed) except -1 nogil
    cdef int _why_over(self, const Head *head, u32 slot, int side, const Packet *packet) except -2 nogil
    cdef u32 _hash(self, const Packet *packet) except? 0xFFFFFFFF nogil
    cdef Py_ssize_t _find(self, const Packet *packet, u32 hashed, u16 source_port, u16 target_port, bint two_way) except -2 nogil
    cdef int _index_insert(self, u32 hashed, u32 slot) except -1 nogil
    cdef int _index_remove(self, u32 hashed, u32 slot) except -1 nogil
    cdef int _grow_index(self) except -1
    cdef Py_ssize_t _open(self, const Packet *packet, u32 hashed, u16 source_port, u16 target_port) except -1 nogil
    cdef bint _take_roles(self, const Packet *packet, u32 slot, u16 source_port, u16 target_port) except -1 nogil
    cdef int _close(self, u32 slot, int reason) except -1 nogil
    cdef int _evict(self) except -1 nogil
    cdef int _line_up(self, bint for_eviction) except -1
    cdef int _timeout_kind(self, const Head *head) except -1 nogil
    cdef int _look_up_timeout(self, const Head *head, u32 slot) except -1 nogil
    cdef int _ask_idle(self, u32 slot) except -1
    cdef int _icmp_error(self, u32 slot, int side, const Packet *packet) except -1 nogil
    cdef int _look_up_quoted(self, const Packet *packet) except -1 nogil
    cdef int _expire(self) except -1 nogil
    cdef int _look_at(self, u32 slot) except -1 nogil
    cdef int _enter_wheel(self, u32 slot) except -1 nogil
