cimport cython
cimport lapwing.detect.natively as natively
cimport lapwing.detect.verdict as single
from lapwing.detect.evidence cimport Evidence
from lapwing.detect.journal cimport u32
from lapwing.detect.login cimport u64
from lapwing.detect.verdict cimport Judge, Verdict

cdef Py_ssize_t _CHUNK_WORDS, _MOST_WORDS, _ODDS, _FIRST
cdef int _RANK_SHIFT, _RETRY_SHIFT, _ACTION, _RISK, _LOG_ODDS, _RETRY_AFTER_S, _KNOWN, _WHOLE, _INSIDE
cdef u64 _KINDS, _RANKS, _APART
cdef tuple _ACTIONS, _SAID

@cython.final
cdef class Verdicts:
    cdef public Py_ssize_t count
    cdef list _chunks, _ends, _apart
    cdef dict _quiet
    cdef u64[::1] _words
    cdef double[::1] _numbers
    cdef Py_ssize_t _at, _room

    @cython.locals(at=Py_ssize_t, to=Py_ssize_t, kind=int, kinds=u64, bits=u32)
    cpdef int add(
        self, Judge judge, Evidence evidence, double log_odds, int rank, long long retry_after_s
    ) except -1
    cpdef int keep(self, Verdict verdict) except -1
    @cython.locals(number=Py_ssize_t, end=Py_ssize_t)
    cpdef list told(self, int what)
    cdef int _begin(self, Py_ssize_t words) except -1
    @cython.locals(at=Py_ssize_t, facts=u64, kinds=u64)
    cdef object _tell(self, list told, int what, u64[::1] words, double[::1] numbers, Py_ssize_t end, object apart)
    @cython.locals(kind=int)
    cdef object _fact(self, u64 facts, double log_odds, int what)
    @cython.locals(verdict=Verdict, quiet=Verdict, bits=u64, to=int, value=double, threshold=double, weight=double)
    cdef Verdict _made(self, u64 facts, double[::1] numbers, Py_ssize_t at)
