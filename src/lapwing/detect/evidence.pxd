cimport cython
cimport lapwing.detect.natively as natively

from lapwing.detect.journal cimport u32

cdef u32 _VOLUME
cdef tuple _NAMES
cdef u32 _MASKS[6]
cdef int _FIRSTS[7]
cdef int _group

@cython.final
cdef class Evidence:
    cdef public u32 present
    cdef public bint known
    cdef public tuple beside
    cdef double values[19]
    cdef double thresholds[19]
    cdef double weights[19]

    cpdef int clear(self) noexcept
    cpdef int put(self, int kind, double value, double threshold, double weight) noexcept
    cpdef int drop(self, u32 kinds) noexcept
    cpdef bint says(self, int group) noexcept
    @cython.locals(volume=double, extra=double, bits=u32, kind=int)
    cpdef double sum(self, int group, u32 but) noexcept
    @cython.locals(kind=int, first=int, last=int)
    cpdef list of(self, int group)
    cpdef object reason(self, int kind)
