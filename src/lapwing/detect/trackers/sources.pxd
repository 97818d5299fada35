cimport cython
cimport lapwing.detect.slabs as slabs
cimport lapwing.detect.tallying as tallying
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Fading, Row, Tally
from lapwing.detect.trackers.tracker cimport Tracker

cdef int _ACCOUNTS, _TRIES, _ONE_CLIENT, _PERSISTENCE
cdef double _HELD, _RESIDENT, _WEEK, _A_DAY_OF_IT
cdef i64 DAY_MASK

cdef class Source(Tally):
    cdef public u64 client
    cdef public double alike, pairs_w, good_w
    cdef public i64 hours
    cdef public i64 hour

    cpdef int start(self, i64 at_ns) except -1

cdef class Sources(Tracker):
    cdef object _settings
    cdef double _free_accounts[4]
    cdef double _free_tries[4]
    cdef double _free_week, _week_per_good, _account_slope, _try_slope, _per_good, _free_alike, _alike_slope, _alike_cap, _free_hours, _hour_slope, _hour_cap

    @cython.locals(mine=Source)
    cdef int count(self, Row row, Login login) except -1
    cdef int bring(self, Row row, i64 now_ns) except -1
    @cython.locals(row=Source, new=bint, said=bint, excused=double, alike=double, weight=double)
    cdef int observe(self, Login login, i64 now_ns) except -1

@cython.locals(at=int, value=double, limit=double, ordinary=double)
cdef bint _say_accounts(Sources tracker, Source row, double excused) noexcept
@cython.locals(at=int, value=double, limit=double)
cdef bint _say_tries(Sources tracker, Source row, double excused) noexcept
@cython.locals(bits=i64, hours=double, free=double, most=double)
cdef bint _persistence(Sources tracker, Source row, i64 hour) noexcept
@cython.locals(best=double, at=int)
cdef int farthest(double* free, double excused, double m, double h, double q, double d) noexcept
cdef double one_of(int at, double m, double h, double q, double d) noexcept
@cython.locals(age=i64)
cdef int _bring(Sources tracker, Source row, i64 now_ns) noexcept
@cython.locals(faded=double)
cdef int _fade_week(Source row, i64 age_ns) noexcept
cdef int _count_good(Source row, Login login) noexcept
@cython.locals(hour=i64)
cdef int _count(Source row, Login login, i64 now_ns) noexcept
