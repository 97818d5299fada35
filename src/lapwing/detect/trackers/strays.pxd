cimport cython
from lapwing.detect.distinct cimport SlidingDistinct
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Row
from lapwing.detect.trackers.lone cimport Lone

cdef u64 _KEY, _MASK
cdef int _STRAYS
cdef double _WEEK
cdef i64 _PERIOD, _HOUR, _HOURS

cdef class Week(Row):
    cdef public double pairs, good
    cdef public u64 hours
    cdef public i64 hour
    cdef public SlidingDistinct accounts_seen

    cpdef int start(self, i64 at_ns) except -1

cdef class Strays(Lone):
    cdef object _settings
    cdef double _free, _per_good, _free_hours, _slope, _cap

    @cython.locals(row=Week, age=i64, faded=double)
    cdef int observe(self, Login login, i64 now_ns) except -1
    @cython.locals(row=Week)
    cdef int excuse(self, double pairs) except -1
    @cython.final
    @cython.locals(hour=i64)
    cdef int _stray(self, Week row, Login login, i64 now_ns) except -1
    @cython.final
    @cython.locals(usual=double, count=double, hours=double, bits=u64)
    cdef int _say(self, Week row) except -1
