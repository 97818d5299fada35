cimport cython

@cython.no_gc
@cython.final
cdef class StreamIdentifier:
    cdef readonly object evidence
    cdef readonly bint hopeless
    cdef int _port
    cdef object _candidates, _sure
    cdef list _aside
    cdef bytes _client_head, _server_head
    cdef Py_ssize_t _seen_bytes

    @cython.locals(head=bytes)
    cpdef feed(self, side, bytes data)
    cpdef settle(self)
    cdef _choose(self, protocol, evidence)
    cdef list _in_order(self, bytes head, int place)
    @cython.locals(left=list, place=int)
    cdef bint _ask(self, side, bytes head) except -1
