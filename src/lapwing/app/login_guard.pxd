cimport cython
from lapwing.detect.decisions cimport Change, Decisions
from lapwing.detect.detector cimport Detector
from lapwing.detect.login cimport Login, i64
from lapwing.detect.verdict cimport Verdict

cdef object _ALLOW, _BLOCK

cdef class AuthAttempt:
    cdef public str source
    cdef public object endpoint, username, secret_tag, fingerprint, ts_ns, protocol, mechanism, circumstances
    cdef public object _secret

cdef class AuthResult(AuthAttempt):
    cdef public object outcome, account_exists

cdef class Guard:
    cdef public object settings
    cdef object _leaks, _key, _clock, _on_event, _lock, _events, _takeovers
    cdef i64 _seq, _blocked_count
    cdef Detector _detector
    cdef Decisions _decisions
    cdef dict __dict__
    cdef object __weakref__

    @cython.locals(ts_ns=i64, verdict=Verdict, login=Login, detector=Detector, decisions=Decisions)
    cpdef object attempt(self, AuthAttempt attempt)
    cdef Verdict _refuse_again(self, AuthAttempt attempt, Login login, i64 ts_ns)
    cdef object _refused(self, AuthAttempt attempt, bint judged)
    @cython.locals(detector=Detector, decisions=Decisions, verdict=Verdict, login=Login)
    cdef Verdict _observe(self, object event)
    @cython.locals(change=Change)
    cdef object _publish_changes(self, tuple changes)
