cimport cython
from lapwing.protocols.tally cimport DatagramTally

cdef int _QR, _AA, _TC, _RD, _RA, _AD, _CD
cdef long long _UNANSWERED_AFTER_NS

@cython.final
cdef class DnsParser:
    cdef readonly object poisoned, next_wakeup_ns
    cdef readonly bint done
    cdef readonly dict _pending, _late
    cdef bint _everybody_answers
    cdef int _bad, _class_mask

    @cython.locals(flags=int, asked=object, asked_ns=object)
    cpdef parse(self, side, bytes datagram, now_ns)
    @cython.locals(pending=dict)
    cpdef tick(self, now_ns)
    cpdef close(self, now_ns)
    @cython.locals(pending=dict, late=dict)
    cdef _note(self, tuple asked, now_ns)
    cdef _answered(self, tuple asked)
    cdef _plan(self)

cdef class DnsTally(DatagramTally):
    cdef dict _pending
    cdef bint _everybody_answers
    cdef int _bad

    @cython.locals(flags=int, pending=dict, asked_ns=object)
    cpdef Py_ssize_t parse(self, bytes datagram, long long now_ns) except -1
    cpdef Py_ssize_t close(self) except -1
