cimport cython
from lapwing.protocols.tally cimport DatagramTally as Tally

cdef long long _NEVER_NS

cdef class Session:
    cdef public object key, protocol, parser, adapter
    cdef public Tally tally
    cdef public Py_ssize_t message_count
    cdef public bint quiet, wakes
    cdef public int silent_ticks
    cdef public long long client_gap_bytes, server_gap_bytes, wakeup_ns, alarm_ns, tries_due_ns
    cdef public dict tries
    cdef public tuple fields

    cdef identified(self, long long ts_ns, evidence)
    cdef messaged(self, long long ts_ns, side, message)
    cdef ended(self, long long ts_ns, reason, str detail)
    @cython.locals(tries=dict)
    cpdef note_login(self, login, long long patience_ns)
    cpdef list overdue(self, long long now_ns, long long patience_ns)
    @cython.locals(tries=dict)
    cdef _plan_tries(self, long long patience_ns)

@cython.final
cdef class StreamSession(Session):
    cdef public object identifier
    cdef public list pending
    cdef public int handover_count
    cdef public bint client_closed, server_closed

    @cython.locals(pending=list)
    cpdef bint hold(self, int side, bytes data, long long missing_bytes, long long ts_ns) except -1
    cpdef note_gap(self, int side, long long missing_bytes)
    cpdef bint note_close(self, int side) except -1

@cython.final
cdef class DatagramSession(Session):
    cdef public int probed
