cimport cython
cimport lapwing.detect.natively as natively
from lapwing.detect.login cimport i64, u64

cdef u64 MASK

@cython.final
cdef class Distinct:
    cdef public int exact, bits, count, zeros
    cdef public bytearray registers
    cdef public double inverse
    cdef u64 _room
    cdef object _slots

    @cython.locals(at=u64, slots=object)
    cpdef bint add(self, u64 item) except -1
    @cython.locals(at=u64, moved=u64, slots=object)
    cpdef int discard(self, u64 item) except -1
    cpdef bint has(self, u64 item) noexcept
    @cython.locals(at=u64, here=u64, slots=object)
    cdef u64 _place(self, u64 item) noexcept
    @cython.locals(at=Py_ssize_t, count=Py_ssize_t, item=u64, before=object)
    cdef int _widen(self) except -1
    cdef int _become_sketch(self) except -1
    @cython.locals(rest=u64, rest_bits=int, rank=int)
    cdef bint _enter(self, u64 item) noexcept
    @cython.locals(before=int)
    cdef bint _raise_register(self, Py_ssize_t index, int rank) noexcept
    cdef int _estimate(self) except -1

@cython.final
cdef class SlidingDistinct:
    cdef public i64 period_ns, turn_ns
    cdef public u64 only
    cdef public tuple few
    cdef public Distinct recent, union
    cdef public int count, fresh

    cpdef int add(self, u64 item, i64 now_ns) except -1
    @cython.locals(known=u64, length=int)
    cdef bint _add_few(self, u64 item) except -1
    @cython.locals(known=u64)
    cdef int _spread(self) except -1
    cpdef int discard(self, u64 item) except -1
    @cython.locals(kept_few=list)
    cdef int _turn(self, i64 now_ns) except -1
