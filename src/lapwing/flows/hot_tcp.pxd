from lapwing.flows.hot_waiting cimport WaitingBytes
from lapwing.flows.hot_types cimport Action, Head, Key, Packet, Record, Side, Tail, Wait, i64, u8, u16, u32, u64

cdef class TcpFlows(WaitingBytes):
    cdef i64[:, ::1] holes  # per list: how many, up to where counted as gaps, then pairs of start and end
    cdef u32[::1] free_holes
    cdef u32 free_hole_count, fresh_hole, hole_count
    cdef i64 max_ahead

    cdef int _track_tcp(self, Head *head, u32 slot, int side, const Packet *packet) except -1 nogil
    cdef int _reset(self, Head *head, u32 slot, int side, const Packet *packet) except -1 nogil
    cdef bint _fits(self, u32 slot, int side, i64 end) except -1 nogil
    cdef int _note_flags(self, Head *head, u32 slot, int side, int flags, bint has_payload) except -1 nogil
    cdef int _next_states(self, Head *head, int side, int flags) except -1 nogil
    cdef int _acknowledge(self, Head *head, u32 slot, int side, const Packet *packet) except -1 nogil
    cdef int _count_gaps(self, u32 slot, int side, u32 list_, i64 acked) except -1 nogil
    cdef int _account(self, Head *head, u32 slot, int side, const Packet *packet, i64 start) except -1 nogil
    cdef int _add_hole(self, u32 slot, int side, i64 start, i64 end) except -1 nogil
    cdef i64 _fill_holes(self, u32 list_, i64 start, i64 end) except -1 nogil
    cdef int _drop_holes(self, u32 slot) except -1 nogil
    cdef bint _is_new_connection(self, const Head *head, u32 slot, int side, const Packet *packet, bint closed) except -1 nogil
