# What nearly every record goes through at a login, put where it happens instead of called: `Fading` and `Tally` do the
# same to the bit, and `plainly.py` asks them where nothing is compiled. A typed module takes it as
# `cimport lapwing.detect.tallying as tallying` beside `from lapwing.detect import plainly as tallying`.

from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Row, Tally
from lapwing.detect.trackers.tracker cimport Tracker

cdef extern from *:
    """
    /* A new reference to a record whose type is known already. */
    static CYTHON_INLINE void *lapwing_known(PyObject *what) {
        Py_INCREF(what);
        return what;
    }
    """
    Row as_row "lapwing_known"(object what)
    Tally as_tally "lapwing_known"(Row what)

# `Fading.at` of a tracker's fading: where in `left` there is what this age leaves.
cdef inline u64 at(Tracker tracker, i64 age_ns) noexcept:
    cdef u64 slot = (<u64>age_ns * 0xD6E8FEB86659FD93ULL) >> 58
    if tracker.fading._ages[slot] != age_ns:
        tracker.fading._measure(slot, age_ns)
    return 4 * slot

# `Tally.settle`, by the fading of whose record it is.
cdef inline int settle(Tracker tracker, Tally row, i64 now_ns) noexcept:
    cdef i64 age = now_ns - row.at_ns
    cdef double m, h, q, d
    cdef u64 place
    if age <= 0:
        return 0
    row.at_ns = now_ns
    if row.failing:
        place = at(tracker, age)
        m = tracker.fading.left[place]
        h = tracker.fading.left[place + 1]
        q = tracker.fading.left[place + 2]
        d = tracker.fading.left[place + 3]
        row.good *= d
        row.pairs_m *= m
        row.pairs_h *= h
        row.pairs_q *= q
        row.pairs_d *= d
        row.tries_m *= m
        row.tries_h *= h
        row.tries_q *= q
        row.tries_d *= d
    elif row.good != 0.0:
        row.good *= tracker.fading.left[at(tracker, age) + 3]
    return 0

# `Tally.take`.
cdef inline int take(Tally row, Login login) noexcept:
    cdef double pair_0, pair_1, pair_2, pair_3, try_0, try_1, try_2, try_3
    if login.counts and login.failed:
        pair_0 = login.pair_0
        pair_1 = login.pair_1
        pair_2 = login.pair_2
        pair_3 = login.pair_3
        try_0 = login.try_0
        try_1 = login.try_1
        try_2 = login.try_2
        try_3 = login.try_3
        row.failing = True
        row.pairs_m += pair_0
        row.pairs_h += pair_1
        row.pairs_q += pair_2
        row.pairs_d += pair_3
        row.tries_m += try_0
        row.tries_h += try_1
        row.tries_q += try_2
        row.tries_d += try_3
    elif login.succeeded:
        row.take(login)
    return 0

# Hours since 1970; the compiler multiplies where it knows what to divide by.
cdef inline i64 hour_of(i64 now_ns) noexcept:
    return now_ns // 3600000000000LL

# The row of a key, now the one touched last; None if there is no record. A spark becomes a row.
cdef inline Row row_of(Tracker tracker, u64 key, i64 hint):
    cdef Row row = tracker.table.meet(key, hint)
    if tracker.table.found <= -2:  # `SPARK_BASE`
        return tracker.kindle(key, -2 - tracker.table.found)
    return row

# The same for a login. One without an outcome makes none of a spark, which gives no reason yet.
# A second plain failure that gives no reason yet either makes none of it: there is none, and `spark` says the rest.
cdef inline Row row_for(Tracker tracker, Login login, u64 key, i64 hint):
    cdef Row row
    if not login.failed and not login.succeeded and tracker.quiet_first:
        return tracker.table.meet_row(key, hint)
    row = tracker.table.meet(key, hint)
    if tracker.table.found <= -2:
        if login.plain and tracker.quiet_second and tracker.table.is_first(-2 - tracker.table.found):
            return None
        return tracker.kindle(key, -2 - tracker.table.found)
    return row

# A plain failure of a key that `row_for` has no row for.
cdef inline int spark(Tracker tracker, u64 key, Login login) except -1:
    if tracker.table.found <= -2:
        tracker.table.renew(key, -2 - tracker.table.found, login.pos)
    else:
        tracker.table.spark(key, login.pos)
    return 0
