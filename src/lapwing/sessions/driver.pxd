cimport cython
from lapwing.flows.hot_walk cimport ActionWalk as Walk
from lapwing.sessions.conversations cimport Conversations

cdef int OPENED, ESTABLISHED, SEGMENT, GAP, SIDE_CLOSED, DATAGRAM, ANOMALY, CLOSED, ICMP_ERROR

cdef _established(Walk walk)

@cython.final
cdef class SessionDriver(Conversations):
    cdef object _fragments, _extractor, _words, _detector
    cdef dict _told_fragments
    cdef long long _now_ns, _latest_ns

    cdef _drain(self, chunk)
    cdef _walk_everything(self, list opened, list closed)
    cdef bint _still_wanted(self) except -1
    cdef _track(self, source, rows, Py_ssize_t index, Py_ssize_t end)
    cdef _act(self)
    cdef _anomaly(self, Py_ssize_t slot, int side, int kind, Py_ssize_t times, long long ts_ns)
