cimport cython
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Fading, Row
from lapwing.detect.trackers.tracker cimport Tracker

cdef double _HELD

cdef class Home(Row):
    cdef public i64 good_ns, failed_ns
    cdef public double tries
    cdef public int failures
    cdef public tuple sources, networks, clients, wrong_clients, wrong_secrets, attackers

    cpdef int start(self, i64 at_ns) except -1

cdef class Takeovers(Tracker):
    cdef object _settings, _keyring
    cdef public list hits

    @cython.locals(row=Home, new=bint, fading=Fading, reasons=tuple)
    cpdef tuple observe(self, Login login, i64 now_ns)
    cdef int _attacked(self, Home row, Login login) except -1
