cimport cython
from lapwing.detect.distinct cimport Distinct
from lapwing.detect.evidence cimport Evidence
from lapwing.detect.login cimport Login, i64, u64

cdef i64 _PERIOD
cdef int _KIND

@cython.final
cdef class Lately:
    cdef public Distinct _recent, _before

    cpdef int add(self, u64 item) except -1
    cpdef int discard(self, u64 item) except -1
    cpdef int turn(self, bint fresh) except -1

@cython.final
cdef class Unknowns:
    cdef double _free, _per_good, _slope, _cap
    cdef public Lately _names, _sources
    cdef public i64 _turned_ns

    @cython.locals(age=i64, count=double, usual=double)
    cdef int observe(self, Login login, double all_good, i64 now_ns, Evidence evidence) except -1
    cdef int take_back(self, Login login) except -1
