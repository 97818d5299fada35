cimport cython
cimport lapwing.detect.natively as natively
from lapwing.detect.evidence cimport Evidence
from lapwing.detect.journal cimport u32
from lapwing.detect.reasons cimport Reason

cdef double _E, _UNKNOWN
cdef int _MOST
cdef bint _PLAIN
cdef u32 _MASKS[6]
cdef int _GROUP_OF_KIND[19]
cdef tuple _ACTIONS

@cython.final
cdef class Verdict:
    cdef public int rank
    cdef public double log_odds
    cdef public long long retry_after_s
    cdef public bint known
    cdef int _count
    cdef u32 kinds
    cdef double _risk, _trust
    cdef tuple _reasons, _beside
    cdef double numbers[18]

    cpdef tuple _facts(self)
    cpdef Verdict but(self, object action, long long retry_after_s)
    cdef int counted(self) noexcept
    cdef list _trusted(self)
    @cython.locals(at=int, kind=int, bits=u32)
    cdef int _note(self, Evidence evidence) except -1
    cdef int _note_all(self, Evidence evidence) except -1

@cython.final
cdef class Judge:
    cdef object _settings
    cdef Verdict _nothing, _nothing_known
    cdef double[6] _caps
    cdef double[6] _login_caps
    cdef double[4] _grades
    cdef double _beside_cap, _prior, _known_pair

    @cython.locals(log_odds=double, weight=double, group=int, bits=u32, reason=Reason)
    cpdef double weigh(self, Evidence evidence) except? -1.0
    @cython.locals(nothing=Verdict)
    cpdef Verdict verdict(self, Evidence evidence, double log_odds, int rank, long long retry_after_s)
    cpdef Verdict judge(self, Evidence evidence)
    @cython.locals(verdict=Verdict)
    cdef Verdict _made(self, Evidence evidence, double log_odds, int rank, long long retry_after_s)
    cpdef double score(self, int group, Evidence evidence, u32 but) noexcept
    cpdef int rank(self, double log_odds) noexcept
    cpdef object action(self, double log_odds)
