cdef class DatagramTally:
    cdef public bint poisoned

    cpdef Py_ssize_t parse(self, bytes datagram, long long now_ns) except -1
    cpdef Py_ssize_t close(self) except -1
