cimport cython
from lapwing.flows.hot_walk cimport ActionWalk as Walk
from lapwing.protocols.identify cimport FirstLook as Look
from lapwing.protocols.tally cimport DatagramTally as Tally
from lapwing.sessions.emit cimport Outlet
from lapwing.sessions.session cimport DatagramSession, Session, StreamSession
from lapwing.sessions.wakeups cimport Wakeups

cdef int _ACTIVE

cdef class Conversations:
    cdef object _table, _login_settings, _tagger, _next_auth_id, _counted
    cdef Look _first_look
    cdef dict _by_name
    cdef Walk _walk
    cdef Outlet _outlet
    cdef list _sessions
    cdef Wakeups _wakeups
    cdef long long _gap_bytes
    cdef Py_ssize_t _parsers_created, _parsers_ended, _parser_faults, _encrypted, _messages, _ticks, _ticks_refused
    cdef Py_ssize_t _unanswered
    cdef long long _patience_ns

    cdef dict _counters(self)
    cdef _at(self, Py_ssize_t slot)
    @cython.locals(sessions=list)
    cdef _keep(self, Py_ssize_t slot, Session session)
    cdef _hear(self, Py_ssize_t slot, Session session, int side, ask, argument, long long ts_ns)
    cdef _plan(self, Py_ssize_t slot, Session session, long long now_ns)
    @cython.locals(wakeups=Wakeups, session=Session)
    cdef _wake(self, long long until_ns)
    cdef _tick(self, Py_ssize_t slot, Session session, long long ts_ns)
    cdef bint _tick_parser(self, Session session, long long ts_ns) except -1
    @cython.locals(adapter=object, outlet=Outlet)
    cdef _messages_of(self, Session session, int side, messages, long long ts_ns)
    cdef bint _tells_nothing(self, Py_ssize_t slot, protocol) except -1
    cdef _start(self, Py_ssize_t slot, Session session, protocol, evidence, long long ts_ns)
    cdef _parser_for(self, Session session, protocol, adapter)
    cdef _identify(self, Py_ssize_t slot, StreamSession session, int side, bytes data, Py_ssize_t missing, long long ts_ns)
    cdef _listen(self, Py_ssize_t slot, StreamSession session, int side, bytes data, long long ts_ns)
    cdef StreamSession _undecided(self, Py_ssize_t slot)
    @cython.locals(session=StreamSession)
    cdef bint _glance(self, Py_ssize_t slot, int side, bytes data, long long ts_ns) except -1
    cdef _begin(self, Py_ssize_t slot, StreamSession session, protocol, long long ts_ns)
    cdef _gap(self, Py_ssize_t slot, StreamSession session, int side, Py_ssize_t missing, long long ts_ns)
    cdef _close_side(self, Py_ssize_t slot, StreamSession session, int side, str reason, long long ts_ns)
    cdef _datagram(self, Py_ssize_t slot, DatagramSession session, int side, bytes data, long long ts_ns)
    cdef _count_from(self, Py_ssize_t slot, DatagramSession session, protocol, bytes data, long long ts_ns)
    @cython.locals(tally=Tally)
    cdef _count(self, Py_ssize_t slot, DatagramSession session, bytes data, long long ts_ns)
    cdef _icmp_error(self, Py_ssize_t slot, DatagramSession session, int side, bytes data, long long about, long long ts_ns)
    cdef _ignore(self, Py_ssize_t slot)
    cdef _stop(self, Py_ssize_t slot, Session session, long long ts_ns)
    cdef _hand_over(self, Py_ssize_t slot, handover, int turn, long long ts_ns)
    cdef _fault(self, Py_ssize_t slot, Session session, fault, long long ts_ns)
    cdef _close(self, Py_ssize_t slot, Session session, int reason_index, long long ts_ns)
    cdef _close_datagrams(self, Py_ssize_t slot, DatagramSession session, long long ts_ns)
    cdef _settle(self, Py_ssize_t slot, StreamSession session, long long ts_ns)
    cdef _end_session(self, Session session, reason, long long ts_ns, str detail=*)
