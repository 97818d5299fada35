cimport cython
cimport lapwing.detect.natively as natively
from lapwing.detect.decisions cimport Decisions
from lapwing.detect.evidence cimport Evidence
from lapwing.detect.journal cimport u32
from lapwing.detect.login cimport i64, u64

cdef Py_ssize_t ENTRY_WORDS, LINE_WORDS, SEQ, FACTS, PLACE, TIME, FIRST, SINCE
cdef int MOST_REASONS, RANK_SHIFT, RANKS, LIFTED_SHIFT, LIFTS, DURATION_SHIFT
cdef u64 SIX, BESIDE, MADE

@cython.final
cdef class Chronicle:
    cdef Py_ssize_t _limit, _count, _next
    cdef u64[::1] _words
    cdef double[::1] _numbers
    cdef dict _beside

    cpdef int keep(self, i64 seq, object event) except -1
    @cython.locals(six=u64, facts=u64, why=u64, rank=u64, duration_s=u64)
    @cython.locals(place=Py_ssize_t, at=Py_ssize_t)
    cpdef Py_ssize_t keep_changes(self, i64 seq, Decisions decisions, Evidence evidence) except -1
    @cython.locals(end=Py_ssize_t, kind=int, bits=u32)
    cdef bint _note(self, Py_ssize_t at, Evidence evidence) noexcept
    @cython.locals(first=Py_ssize_t, index=Py_ssize_t, place=Py_ssize_t)
    cpdef list since(self, object seq)
    @cython.locals(place=Py_ssize_t, at=Py_ssize_t, ahead=Py_ssize_t)
    cdef Py_ssize_t _begin(self, i64 seq, u64 facts) except -1
    @cython.locals(at=Py_ssize_t, facts=u64, hi=u64, lo=u64)
    cdef object _event(self, Py_ssize_t place)
    @cython.locals(number=Py_ssize_t)
    cdef list _reasons(self, Py_ssize_t at)

cdef list _reasons_of(Evidence evidence)
