cimport cython
from lapwing.flows.hot_lives cimport FlowLives
from lapwing.flows.hot_types cimport Action, Head, Key, Packet, Record, Side, Tail, Wait, i64, u8, u16, u32, u64

@cython.final
cdef class FlowTable(FlowLives):
    cdef const Packet[::1] packets  # input of the current call
    cdef object _packets  # the array they are in, to know it when it comes again
    cdef dict _views  # of such arrays by their id: the array, which keeps the id its own, and its rows
    cdef Py_ssize_t cursor
    cdef u32[::1] hashes
    cdef u64 hash_0, hash_1, packet_count, regression_count
    cdef i64 behind_ns
    cdef bint finishing
    cdef i64 quoted_flow_id  # what was looked up last

    cdef int _take_rows(self, object packets) except -1
    cdef Py_ssize_t _run(self, Py_ssize_t start, Py_ssize_t count) except -1 nogil
    cdef int _prefetch(self, u32 hashed) except -1 nogil
    cdef int _set_clock(self, i64 now_ns) except -1 nogil
    cdef int _step(self, const Packet *packet, u32 hashed) except -1 nogil
    cdef int _why_over(self, const Head *head, u32 slot, int side, const Packet *packet) except -2 nogil
    cdef u32 _hash(self, const Packet *packet) except? 0xFFFFFFFF nogil
    cdef Py_ssize_t _find(self, const Packet *packet, u32 hashed, u16 source_port, u16 target_port, bint two_way) except -2 nogil
    cdef int _icmp_error(self, u32 slot, int side, const Packet *packet) except -1 nogil
    cdef int _look_up_quoted(self, const Packet *packet) except -1 nogil
