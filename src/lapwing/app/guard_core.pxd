cimport cython
from lapwing.detect.decisions cimport Change, Decisions
from lapwing.detect.detector cimport Detector
from lapwing.detect.login cimport Login, i64
from lapwing.detect.verdict cimport Verdict

cdef object _ALLOW, _BLOCK

cdef class GuardCore:
    cdef public object settings
    cdef object _leaks, _key, _clock, _on_event, _lock, _events, _takeovers
    cdef i64 _seq, _blocked_count
    cdef Detector _detector
    cdef Decisions _decisions

    @cython.locals(ts_ns=i64, verdict=Verdict, login=Login, detector=Detector, decisions=Decisions)
    cpdef object attempt(self, object attempt)
    cdef Verdict _refuse_again(self, object attempt, Login login, i64 ts_ns)
    cdef object _refused(self, object attempt, bint judged)
    @cython.locals(detector=Detector, decisions=Decisions, verdict=Verdict, login=Login)
    cdef Verdict _observe(self, object event)
    @cython.locals(change=Change)
    cdef object _publish_changes(self, tuple changes)
