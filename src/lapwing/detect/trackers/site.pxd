cimport cython
cimport lapwing.detect.tallying as tallying
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Fading, Row, Tally
from lapwing.detect.trackers.lone cimport Lone

cdef int _FAILURES
cdef double _SHARE

cdef class Whole(Tally):
    cdef public double good_hour

    cpdef int start(self, i64 at_ns) except -1

cdef class Site(Lone):
    cdef object _settings
    cdef double _free, _per_good, _over_usual, _slope, _cap

    @cython.locals(row=Whole, usual=double, count=double)
    cdef int observe(self, Login login, i64 now_ns) except -1
