cimport cython

from lapwing.detect.journal cimport u32

cdef u32 _VOLUME
cdef tuple _NAMES
cdef u32 _MASKS[6]
cdef int _FIRSTS[7]
cdef int _group

cdef class Evidence:
    cdef public u32 present
    cdef public bint known
    cdef public tuple beside
    cdef double values[19]
    cdef double thresholds[19]
    cdef double weights[19]

    cpdef int clear(self) except -1
    cpdef int put(self, int kind, double value, double threshold, double weight) except -1
    cpdef int drop(self, u32 kinds) except -1
    cpdef bint says(self, int group) except -1
    @cython.locals(volume=double, extra=double, bits=u32, kind=int)
    cpdef double sum(self, int group, u32 but) except? -1.0
    @cython.locals(kind=int, first=int, last=int)
    cpdef list of(self, int group)
    cpdef object reason(self, int kind)
