cimport cython
cimport lapwing.detect.slabs as slabs
cimport lapwing.detect.natively as natively
cimport lapwing.detect.tallying as tallying
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Fading, Row, Tally
from lapwing.detect.seen cimport Seeing, see
from lapwing.detect.table cimport Table
from lapwing.detect.trackers.tracker cimport Tracker

cdef double _HELD
cdef frozenset _NAMES
cdef unsigned char _TRACES[1024]
cdef int _SOURCES, _SECRETS, _STRANGERS, _DEFAULT_NAME

cdef class Account(Seeing):
    cpdef int start(self, i64 at_ns) except -1

cdef class Accounts(Tracker):
    cdef object _settings
    cdef double _free_sources, _source_slope, _free_secrets, _secret_slope, _secret_cap
    cdef double _free_strangers, _stranger_slope, _stranger_cap, _default_name

    @cython.locals(mine=Account)
    cdef int count(self, Row row, Login login) except -1
    @cython.locals(row=Account, new=bint)
    cdef bint observe(self, Login login, i64 now_ns) except -1
    @cython.final
    @cython.locals(sources=double, free=double, over=double)
    cdef int _say(self, double pairs, double secrets) except -1

@cython.locals(over=double, weight=double, said=bint)
cdef bint _sought(Accounts tracker, Account row, Login login) except -1
@cython.locals(length=Py_ssize_t, first=u64, last=u64)
cdef bint may_be_default(str name) noexcept
