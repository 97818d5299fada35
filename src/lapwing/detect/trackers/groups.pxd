cimport cython
cimport lapwing.detect.natively as natively
cimport lapwing.detect.slabs as slabs
cimport lapwing.detect.tallying as tallying
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Fading, Row, Tally
from lapwing.detect.seen cimport Seeing, see
from lapwing.detect.table cimport Table
from lapwing.detect.trackers.tracker cimport Tracker

cdef double _HELD, _NOBODY, _ONE
cdef int _SOURCES, _ACCOUNTS, _STRANGE

@cython.final
cdef class Group(Seeing):
    pass

cdef class Groups(Tracker):
    cdef object _settings
    cdef double _free_sources, _free_accounts, _slope, _per_good, _cap
    cdef int _kind

    @cython.locals(mine=Group, account=u64)
    cdef int count(self, Row row, Login login) except -1
    @cython.locals(row=Group, new=bint)
    cdef int observe(self, Login login, i64 now_ns) except -1
    cdef int _greet(self, Group row, Login login) except -1

@cython.locals(sources=double, weight=double, accounts=double, excused=double, over=double, all_good=double, rarity=double)
cdef int _say(Groups tracker, Group row, i64 now_ns) except -1
cdef int _take_back(Group row, Login login, Table table) except -1

cdef class Networks(Groups):
    pass

cdef class Fingerprints(Groups):
    cdef double _strange_cap

    cdef int _greet(self, Group row, Login login) except -1
    @cython.locals(row=Group, good=double, all_good=double, share=double, weight=double)
    cdef int strange(self, Login login, double own, i64 now_ns) except -1
