cimport cython
cimport lapwing.detect.natively as natively
cimport lapwing.detect.slabs as slabs
from lapwing.detect.login cimport i64, u64

cdef u64 MASK
cdef int _EPISODE_BITS, _n
cdef unsigned int _FIRST_ROOM, _LINE
cdef double _POWERS[66]
cdef double _SCALES[65]
cdef int _LINEAR[1025]

@cython.final
cdef class Distinct:
    cdef natively.Words _words  # what follows, up to `_first`, is with what Python has of it a line of the processor's cache
    cdef public double inverse
    cdef public int count, zeros
    cdef unsigned int _room
    cdef public int exact
    cdef public short bits
    cdef public bint sketched
    cdef u64 _first[64]

    cpdef bint add(self, u64 item) except -1
    @cython.locals(at=u64)
    cdef inline bint _add(self, u64 item) except -1
    @cython.locals(item=u64)
    cdef int add_each(self, natively.Words items, Py_ssize_t at, Py_ssize_t end, Py_ssize_t apart) except -1
    cdef bint _add_new(self, u64 item, u64 at) except -1
    cdef int _add_rank(self, u64 item) except -1
    @cython.locals(at=u64, place=u64, other=u64, kept=list, is_full=bint)
    cpdef int discard(self, u64 item) except -1
    cpdef bint has(self, u64 item) noexcept
    @cython.locals(at=Py_ssize_t, count=Py_ssize_t, item=u64, before=natively.Words, words=natively.Words)
    cdef int _widen(self) except -1
    cdef int _become_sketch(self) except -1
    @cython.locals(size=Py_ssize_t, room=Py_ssize_t, at=Py_ssize_t)
    cdef int _clear_registers(self) except -1
    cdef int _change_words(self, natively.Words words, Py_ssize_t room) noexcept
    cdef int _enter(self, u64 item) noexcept
    cdef int _rank_of(self, u64 item) noexcept
    cdef int _rank_at(self, u64 index) noexcept
    @cython.locals(before=int, more=u64, word=u64)
    cdef int _raise_register(self, u64 index, int rank) noexcept
    @cython.locals(m=double, raw=double)
    cdef int _estimate(self) except -1
    cdef int _estimate_few(self) except -1

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
