cimport cython
from lapwing.detect.distinct cimport SlidingDistinct
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Fading, Row, Tally
from lapwing.detect.trackers.tracker cimport Tracker

cdef i64 _DAY
cdef double _HELD

cdef class Credential(Tally):
    cdef public SlidingDistinct accounts_seen

    cpdef int start(self, i64 at_ns) except -1

cdef class Credentials(Tracker):
    cdef object _settings
    cdef double _free, _per_good, _slope, _cap

    @cython.locals(row=Credential, new=bint)
    cpdef tuple observe(self, Login login, i64 now_ns)
    @cython.locals(accounts=double, free=double)
    cdef tuple _reasons(self, Credential row, i64 now_ns)
    @cython.locals(row=Credential)
    cdef int _take_back(self, u64 secret, Login login) except -1

cdef int _count_account(Credential row, Login login, i64 now_ns) except -1
