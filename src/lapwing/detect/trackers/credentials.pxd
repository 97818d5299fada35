cimport cython
cimport lapwing.detect.slabs as slabs
cimport lapwing.detect.tallying as tallying
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Fading, Row, Tally
from lapwing.detect.seen cimport Seeing, see
from lapwing.detect.table cimport Table
from lapwing.detect.trackers.tracker cimport Tracker

cdef double _HELD
cdef int _SHARED
cdef i64 _NOWHERE

@cython.final
cdef class Credential(Seeing):
    pass

cdef class Credentials(Tracker):
    cdef object _settings
    cdef double _free, _per_good, _slope, _cap

    @cython.locals(mine=Credential)
    cdef int count(self, Row row, Login login) except -1
    @cython.locals(row=Credential, new=bint)
    cdef int observe(self, Login login, i64 now_ns) except -1
    @cython.final
    @cython.locals(accounts=double, free=double)
    cdef int _say(self, Credential row, i64 now_ns) except -1
    @cython.final
    @cython.locals(row=Credential)
    cdef int _take_back(self, u64 secret, Login login) except -1
