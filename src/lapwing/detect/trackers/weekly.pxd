cimport cython
from lapwing.detect.evidence cimport Evidence
from lapwing.detect.login cimport Login, i64

cdef i64 _HOUR
cdef int _HOURS, _KIND

@cython.final
cdef class Weekly:
    cdef double _free, _deviations, _slope, _cap
    cdef public list _usual, _seen
    cdef public i64 _hour
    cdef public double _count, _sum

    @cython.locals(hour=i64, at=int, usual=double, allowed=double, total=double)
    cdef int observe(self, Login login, i64 now_ns, Evidence evidence) except -1
    cdef int take_back(self, Login login) except -1
    cdef double _allowed(self, double usual) except -1.0
    cpdef int _turn(self, i64 hour) except -1
    @cython.locals(usual=double, allowed=double, known=bint)
    cdef int _learn(self, int at, double count) except -1
