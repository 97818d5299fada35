cimport cython
cimport lapwing.detect.natively as natively
from lapwing.detect.login cimport Login, i64, u64

cdef double DAY
cdef i64 GONE
cdef u64 SPREAD, MASK

@cython.final
cdef class Fading:
    cdef public double m, h, q, d
    cdef i64 _age_ns
    cdef i64 _ages[64]
    cdef double left[256]

    @cython.locals(at=u64)
    cpdef int set(self, i64 age_ns) noexcept
    @cython.locals(slot=u64)
    cdef u64 at(self, i64 age_ns) noexcept
    @cython.locals(d=double, q=double, h=double, m=double, at=u64)
    cdef int _measure(self, u64 slot, i64 age_ns) noexcept

# In the order of use: a record begins with a line of the processor's cache (`slabs.py`). The counts of a tally are its
# second line, its story the third. They are read and written by twos: `good` does not stand right before them, or it
# would be paired with the first of them wherever all fade, and what was just written as other pairs is waited for.
cdef class Row:
    cdef public i64 at_ns
    cdef public bint pinned
    cdef public int extra, more
    cdef public int found

    cpdef int start(self, i64 at_ns) except -1

cdef class Tally(Row):
    cdef public double good
    cdef public bint failing, held
    cdef public double pairs_m, pairs_h, pairs_q, pairs_d
    cdef public double tries_m, tries_h, tries_q, tries_d
    cdef public i64 tail, last_ns, first_ns
    cdef public int length, failures, owned, explained

    cpdef int start(self, i64 at_ns) except -1
    @cython.locals(m=double, h=double, q=double, d=double, at=u64)
    cdef int settle(self, i64 now_ns, Fading fading) noexcept
    @cython.locals(
        pair_0=double, pair_1=double, pair_2=double, pair_3=double, try_0=double, try_1=double, try_2=double, try_3=double
    )
    cdef int take(self, Login login) noexcept
    cdef int _take_back(self, Login login) noexcept
    cpdef int begin_story(self, Login login, i64 pos) except -1
    cpdef int forget_story(self) except -1
    @cython.locals(now_ns=i64)
    cpdef object absorb(self, Tally other, Fading fading)
