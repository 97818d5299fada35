cimport cython
from lapwing.detect.reasons cimport Reason

cdef double _E
cdef int _SOURCE
cdef tuple _ACTIONS

@cython.freelist(64)
cdef class Verdict:
    cdef public object action
    cdef public double risk, log_odds
    cdef public tuple reasons
    cdef public long long retry_after_s
    cdef public bint known

    cpdef tuple _facts(self)
    cdef Verdict but(self, object action, long long retry_after_s)

@cython.locals(verdict=Verdict)
cdef Verdict judged(
    object action, double risk, double log_odds, tuple reasons, long long retry_after_s, bint known
)

cdef class Judge:
    cdef object _settings
    cdef Verdict _nothing, _nothing_known
    cdef Reason _known_reason
    cdef double[6] _caps
    cdef double[6] _login_caps
    cdef double[4] _grades
    cdef double _beside_cap, _prior, _known_pair

    @cython.locals(log_odds=double, risk=double, weight=double, group=int, all_found=list, reason=Reason, found=tuple)
    cpdef Verdict judge(self, list evidence, bint known, tuple beside=*)
    @cython.locals(log_odds=double, risk=double)
    cdef Verdict _of_nothing(self, bint known)
    @cython.locals(volume=double, extra=double, weight=double, reason=Reason)
    cpdef double score(self, int group, tuple reasons) except? -1.0
    cpdef int rank(self, double log_odds) except -1
    cpdef object action(self, double log_odds)

cdef bint _is_volume(str name) except -1
