cimport cython
cimport lapwing.detect.slabs as slabs
cimport lapwing.detect.tallying as tallying
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Fading, Row
from lapwing.detect.trackers.tracker cimport Tracker

cdef i64 _ROUTINE
cdef object _NO_SECRETS
cdef int _MOST, _SECRETS, _PACE, _ABSENT
cdef double _HELD, _HASTE

cdef class Pair(Row):
    cdef public bint failing, held
    cdef public double tries_m, tries_h, tries_q, tries_d, fast
    cdef public i64 failed_ns, tried_ns, good_ns

    cpdef int start(self, i64 at_ns) except -1

@cython.final
cdef class Secrets:
    cdef public int count
    cdef public i64 before_ns
    cdef public double before
    cdef u64 _tags[8]
    cdef i64 _times[8]
    cdef double _weights[8]

    @cython.locals(at=int)
    cpdef double renew(self, u64 tag, i64 now_ns, double weight) except -1.0
    cpdef tuple tags(self)

cdef class Pairs(Tracker):
    cdef object _settings
    cdef i64 _machine_gap_ns, _hasty_gap_ns, _device_gap_ns
    cdef double _free_known, _typo_secrets, _machine_slope, _machine_cap, _slope
    cdef double _free_absent, _absent_slope, _absent_cap
    cdef double _free[4]

    @cython.locals(row=Pair)
    cdef bint knows(self, Login login) except -1
    @cython.locals(mine=Pair)
    cdef int count(self, Row row, Login login) except -1
    @cython.locals(row=Pair, new=bint, at=u64)
    cdef int observe(self, Login login, i64 now_ns) except -1
    @cython.final
    @cython.locals(fading=Fading, gap_ns=i64, new=double)
    cdef int _fail(self, Pair row, Login login, i64 now_ns) except -1
    @cython.final
    @cython.locals(w=double, weight=double, secrets=Secrets)
    cdef int _novelty(self, Pair row, Login login, i64 now_ns) except -1
    @cython.final
    @cython.locals(fading=Fading)
    cdef int _fade_novelty(self, Login login, double weight, double before, i64 age_ns) except -1
    @cython.final
    @cython.locals(fading=Fading)
    cdef int _succeed(self, Pair row, Login login, i64 now_ns) except -1
    @cython.final
    cdef bint _were_typos(self, Pair row) except -1
    @cython.final
    @cython.locals(fading=Fading, secrets=Secrets)
    cdef int _take_back(self, Pair row, Login login, i64 now_ns) except -1
    @cython.final
    cdef int _take_one_back(self, Pair row, Login login) except -1
    @cython.final
    @cython.locals(best=double, value=double, limit=double, free=double, ordinary=double, count=double)
    cdef int _say(self, Pair row, Login login) except -1
    @cython.final
    @cython.locals(over=double)
    cdef int _say_absent(self, Pair row) except -1
