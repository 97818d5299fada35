cimport cython

@cython.final
cdef class FirstLook:
    cdef tuple _streams, _every_datagram
    cdef list _datagrams
    cdef bint _server_decides
    cdef object _ports
    cdef dict _orders, _probes

    @cython.locals(number=Py_ssize_t)
    cpdef tuple order(self, int place, int byte, int port)
    cdef Py_ssize_t _number(self, int place, int byte, int port) except? -1
    @cython.locals(head=bytes, number=Py_ssize_t, place=int, probes=tuple)
    cpdef stream(self, side, bytes data, int port)
    @cython.locals(among=tuple)
    cpdef datagram(self, side, bytes datagram, int port)

@cython.final
cdef class StreamIdentifier:
    cdef readonly object evidence
    cdef readonly bint hopeless
    cdef int _port
    cdef object _candidates, _sure
    cdef list _aside
    cdef FirstLook _first_look
    cdef bytes _client_head, _server_head
    cdef Py_ssize_t _seen_bytes

    @cython.locals(head=bytes, seen=Py_ssize_t, end=Py_ssize_t)
    cpdef feed(self, side, bytes data)
    cpdef settle(self)
    cdef _choose(self, protocol, evidence)
    @cython.locals(left=list, place=int)
    cdef bint _ask(self, side, bytes head) except -1
    cdef bint _may_stay(self, protocol) except -1
