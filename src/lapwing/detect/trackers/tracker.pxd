cimport cython
cimport lapwing.detect.slabs as slabs
from lapwing.detect.evidence cimport Evidence
from lapwing.detect.journal cimport Journal
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.reasons cimport Reason
from lapwing.detect.rows cimport Fading, Row, Tally
from lapwing.detect.table cimport Table

cdef i64 _NOWHERE, _DAY

cdef class Tracker:
    cdef public str name
    cdef public Table table
    cdef public Tally totals
    cdef public Row pattern
    cdef public Fading fading
    cdef public i64 forget_ns
    cdef public int dimension
    cdef public Evidence evidence
    cdef public bint quiet_first, quiet_second
    cdef public Row current
    cdef public u64 current_key

    cpdef u64 key(self, Login login) except? 0
    cdef bint is_pinned(self) noexcept
    @cython.locals(reason=Reason)
    cdef Reason reason(self, str name, double value, double threshold, double weight)
    @cython.locals(row=Row)
    cdef Row fresh(self, i64 now_ns)
    @cython.locals(mine=Tally)
    cdef int count(self, Row row, Login login) except -1
    cdef Row row(self, u64 key)
    cdef Row met(self, u64 key, i64 hint)
    @cython.locals(row=Tally)
    cpdef Row look(self, u64 key, i64 now_ns)
    cdef int bring(self, Row row, i64 now_ns) except -1
    @cython.locals(row=Row, login=Login, first=i64)
    cdef Row kindle(self, u64 key, i64 slot)
    @cython.locals(told=Tally, pos=i64)
    cdef int _retell(self, Row row, i64 slot, Login login) except -1
    cdef int keep(self, u64 key, Row row, Login login) except -1
    cdef int count_good(self, Login login, i64 now_ns) except -1
    cdef double all_good(self, i64 now_ns) except? -1.0

# Last, as it needs to know what a tracker is.
cimport lapwing.detect.tallying as tallying
