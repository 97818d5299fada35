cimport cython
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Row
from lapwing.detect.trackers.tracker cimport Tracker

cdef u64 _KEY

cdef class Lone(Tracker):
    @cython.locals(row=Row)
    cdef Row only(self, Login login, i64 now_ns)
