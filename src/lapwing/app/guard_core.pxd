cimport cython
cimport lapwing.detect.logins as logins
cimport lapwing.detect.members as members
from lapwing.app.chronicle cimport Chronicle
from lapwing.app.latch cimport Latch
from lapwing.app.login_columns cimport LoginColumns
from lapwing.app.login_try cimport LoginTry
from lapwing.detect.block cimport Block
from lapwing.detect.decisions cimport Decisions
from lapwing.detect.detector cimport Detector
from lapwing.detect.login cimport Login, i64
from lapwing.detect.verdict cimport Verdict
from lapwing.detect.verdicts cimport Verdicts

cdef object _ALLOW, _BLOCK
cdef int _ALLOWED, _BLOCKED
cdef tuple _NOTHING

cdef class GuardCore:
    cdef public object settings
    cdef object _leaks, _look_up, _key, _clock, _on_event, _takeovers
    cdef Chronicle _events
    cdef Latch _lock
    cdef object _state_lock
    cdef i64 _seq, _blocked_count
    cdef Detector _detector
    cdef Decisions _decisions
    cdef Block _block

    @cython.locals(ts_ns=i64, lock=Latch)
    cpdef Verdict attempt(self, LoginTry attempt)
    @cython.locals(said=Verdicts, block=Block, kept=list, at=Py_ssize_t, plain=bint)
    cpdef object observe_many(self, object events)
    @cython.locals(rows=LoginColumns, said=Verdicts, block=Block, at=Py_ssize_t, plain=bint)
    cpdef object observe_columns(self, object columns)
    @cython.locals(rank=int, row=i64, verdict=Verdict, login=Login, detector=Detector, decisions=Decisions)
    @cython.final
    cdef Verdict _judge(self, LoginTry attempt, i64 ts_ns)
    @cython.locals(rank=int)
    @cython.final
    cdef Verdict _answered(self, Login login, i64 row, i64 ts_ns, bint known)
    @cython.locals(detector=Detector, decisions=Decisions, rank=int)
    @cython.final
    cdef int _decide(self, Login login, i64 row, i64 ts_ns, bint known) except -1
    @cython.final
    cdef int _refused(self, object endpoint) except -1
    @cython.locals(detector=Detector, decisions=Decisions, login=Login)
    cdef Verdict _observe(self, object event)
    @cython.locals(block=Block, at=Py_ssize_t, rank=int)
    @cython.final
    cdef object _add_block(self, Verdicts said)
    @cython.locals(detector=Detector, decisions=Decisions, ts_ns=i64)
    @cython.final
    cdef int _observe_login(self, Login login) except -1
