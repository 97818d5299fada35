cimport cython
from lapwing.detect.login cimport Keyring, i64, u64
from lapwing.detect.standings cimport Standings
from lapwing.detect.verdict cimport Judge, Verdict

cdef i64 _SECOND, _HOUR, _FORGET
cdef int _ALLOWED, _WATCHED, _CHALLENGED, _BLOCKED, _GROWTHS, _LOOK, _NOT_LIFTED, _OVER
cdef double _HALF_OF_ALL
cdef tuple _ACTIONS

@cython.final
cdef class Decisions:
    cdef object _settings
    cdef Judge _judge
    cdef i64 _limit
    cdef Keyring _keyring
    cdef Standings _rows
    cdef double _jitter, _mild_below
    cdef i64 _durations_s[165]
    cdef readonly bint changed, made
    cdef readonly int lifted, lifted_rank, rank
    cdef readonly u64 hi, lo
    cdef readonly i64 ts_ns, lifted_since_ns, duration_s, retry_after_s

    cpdef bint is_empty(self) noexcept
    cpdef i64 row_at(self, u64 source, u64 hi, u64 lo) noexcept
    cpdef int glance(self, u64 source) noexcept
    cpdef int approach(self, u64 source) noexcept
    @cython.locals(standing=int, rank=int)
    cpdef int answer_at(
        self, i64 row, double log_odds, u64 source, u64 hi, u64 lo, i64 now_ns, bint known
    ) except -1
    cpdef int let_in(self) noexcept
    cpdef list told(self, Verdict verdict=*)
    cpdef bint blocks(self, i64 row, i64 now_ns) noexcept
    cpdef int block_longer(self, i64 row, i64 now_ns) noexcept
    cdef int _renew(self, i64 row, int rank, i64 now_ns) noexcept
    @cython.locals(rows=Standings, new=bint, level=int, duration_s=i64)
    cdef int _decide(self, i64 row, int rank, u64 source, u64 hi, u64 lo, i64 now_ns) except -1
    cdef i64 _duration_s(self, int rank, int level) noexcept
    @cython.locals(rank=int)
    cdef int _rank(self, double log_odds, u64 source, i64 now_ns) noexcept
    @cython.locals(number=u64)
    cdef double _shift(self, u64 source, i64 now_ns) noexcept
    @cython.locals(rows=Standings)
    cdef int _shed(self, i64 now_ns) except -1
    cdef int _lift(self, i64 row, i64 now_ns, int why) noexcept
    cdef int _change(self, i64 row, i64 now_ns) noexcept
    cdef Py_ssize_t _row_of(self, str source) except -2
    @cython.locals(number=i64, row=i64, rows=Standings, found=list)
    cpdef list held(self, i64 now_ns)
    @cython.locals(rows=Standings, found=list)
    cdef list _oldest_first(self)
