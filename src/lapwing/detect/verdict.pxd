cimport cython
cimport lapwing.detect.natively as natively
from lapwing.detect.evidence cimport Evidence
from lapwing.detect.journal cimport u32
from lapwing.detect.login cimport u64
from lapwing.detect.reasons cimport Reason

cdef double _E, _UNKNOWN
cdef int _RANK_SHIFT, _RETRY_SHIFT, _INSIDE, _NUMBERS
cdef u64 _RANKS
cdef bint _PLAIN
cdef u32 _MASKS[6]
cdef int _GROUP_OF_KIND[19]
cdef tuple _ACTIONS

@cython.final
cdef class Further:
    cdef double risk
    cdef long long retry_after_s
    cdef tuple others
    cdef double numbers[9]

@cython.final
cdef class Verdict:
    cdef u64 facts
    cdef public double log_odds
    cdef tuple _reasons
    cdef Further further
    cdef double numbers[12]

cpdef double risk_of(double log_odds) noexcept
@cython.locals(at=int, said=int)
cdef tuple _reasons_of(Verdict verdict)
cdef double _number(Verdict verdict, int at) noexcept
@cython.locals(verdict=Verdict)
cdef Verdict bare()
@cython.locals(further=Further)
cdef int note_further(Verdict verdict, int at, int said, double value, double threshold, double weight) except -1
cdef int _note_beside(Verdict verdict, Evidence evidence) except -1

@cython.final
cdef class Judge:
    cdef object _settings
    cdef Verdict _nothing, _nothing_known
    cdef double[6] _caps
    cdef double[6] _login_caps
    cdef double[4] _grades
    cdef double _beside_cap, _prior
    cdef readonly double known_pair

    @cython.locals(log_odds=double, weight=double, group=int, kind=int, bits=u32, own=u32, reason=Reason)
    cpdef double weigh(self, Evidence evidence) except? -1.0
    @cython.locals(nothing=Verdict)
    cpdef Verdict verdict(self, Evidence evidence, double log_odds, int rank, long long retry_after_s)
    cpdef Verdict judge(self, Evidence evidence)
    @cython.locals(verdict=Verdict, facts=u64, at=int, kind=int, bits=u32, value=double, threshold=double, weight=double)
    cdef Verdict _made(self, Evidence evidence, double log_odds, u64 rank, u64 retry_after_s)
    cpdef double score(self, int group, Evidence evidence, u32 but) noexcept
    cpdef int rank(self, double log_odds) noexcept
    cpdef object action(self, double log_odds)
