cimport cython

cdef int _QR, _AA, _TC, _RD, _RA, _AD, _CD

@cython.no_gc
@cython.final
cdef class DnsParser:
    cdef readonly object poisoned
    cdef readonly bint done
    cdef readonly dict _pending
    cdef bint _everybody_answers
    cdef int _bad, _class_mask

    @cython.locals(flags=int, asked=object, asked_ns=object)
    cpdef parse(self, side, bytes datagram, now_ns)
    cpdef close(self, now_ns)
    cdef _note(self, tuple asked, now_ns)

@cython.no_gc
@cython.final
cdef class DnsTally:
    cdef readonly bint poisoned
    cdef dict _pending
    cdef bint _everybody_answers
    cdef int _bad

    @cython.locals(flags=int, pending=dict)
    cpdef Py_ssize_t parse(self, bytes datagram) except -1
    cpdef Py_ssize_t close(self)
