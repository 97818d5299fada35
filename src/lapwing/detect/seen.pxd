cimport cython
cimport lapwing.detect.natively as natively
cimport lapwing.detect.slabs as slabs
from lapwing.detect.login cimport i64, u64
from lapwing.detect.rows cimport Tally
from lapwing.detect.table cimport Table

cdef u64 MASK, _BIT
cdef i64 _DAY, _EARLIER, _LATEST
cdef object _NOTHING_SEEN
cdef int _UNION, _RECENT, _EXACT, _PLACES, _REGISTERS, _FEW, _LONE
cdef double _SIZE
cdef double _POWERS[65]
cdef int _LINEAR[257]
cdef int _n

@cython.final
cdef class Sketches:
    cdef unsigned char _sketched[2]  # all but the words is a line of the processor's cache
    cdef unsigned char _lengths[2]
    cdef short _zeros[2]
    cdef public int recent, union
    cdef double _inverse[2]
    cdef u64 _recents
    cdef u64 _words[96]

    @cython.locals(at=u64)
    cpdef int add(self, int which, u64 item) except -1
    @cython.locals(length=int, index=int)
    cdef int _add_to_list(self, u64 item) except -1
    @cython.locals(bit=u64)
    cdef int _mark(self, u64 at) noexcept
    @cython.locals(length=int, index=int)
    cdef int _put(self, u64 at, u64 item) except -1
    cdef int _clear(self) noexcept
    @cython.locals(at=u64, rank=int)
    cpdef int note(self, u64 item) except -1
    cdef int _note_rank(self, int index, int rank) except -1
    @cython.locals(at=u64)
    cpdef int discard(self, int which, u64 item) except -1
    @cython.locals(last=int, index=int)
    cdef int _discard_from_list(self, u64 item) noexcept
    @cython.locals(moved=u64, recent=u64, to=u64)
    cdef int _take_out(self, u64 at) noexcept
    cdef int _size(self, int which) noexcept
    cdef int _resize(self, int which, int count) noexcept
    cdef int _blur(self, int which, list items) except -1
    cdef bint _enter(self, int which, u64 item) noexcept
    @cython.locals(before=int, more=u64)
    cdef bint _raise(self, int which, int index, int rank) noexcept
    @cython.locals(raw=double)
    cdef int _estimate(self, int which) except -1
    cpdef int turn(self, bint keep) except -1
    cpdef int merge(self, Sketches other) except -1
    cdef int _unite(self, int which, Sketches other, int theirs) except -1

cdef int _rank_at(Sketches counts, int which, int index) noexcept
cdef int _rank_of(u64 item) noexcept

cdef Py_ssize_t _HEAD
cdef Py_ssize_t bytes_before(u64 item) noexcept

cdef class Seeing(Tally):
    cdef public int seen[2]
    cdef public i64 turns[2]
    cdef public int lengths[2]
    cdef public int fresh[2]
    cdef int days
    cdef public u64 few[12]

    cpdef int start(self, i64 at_ns) except -1
    cdef int begin(self, int which, u64 item, i64 now_ns) noexcept
    cpdef int unsee(self, int which, u64 item, Table table) except -1
    cpdef int unite(self, int which, Table table, Seeing other, Table their_table) except -1
    cdef int _adopt(self, int which, Table table, Seeing other, Table their_table) except -1
    @cython.locals(big=Sketches)
    cdef int _spread(self, int which, Table table) except -1
    cdef int _put(self, int which, int number) noexcept
    cdef Sketches _big(self, int which, Table table)
    @cython.locals(big=Sketches, period_ns=i64)
    cdef int _turn(self, int which, i64 now_ns, Table table) except -1

@cython.locals(number=int, base=int, length=int, index=int)
cpdef int see(Seeing row, int which, u64 item, i64 now_ns, Table table) except -1
cdef int _see_later(Seeing row, int which, u64 item, i64 now_ns, Table table) except -1
@cython.locals(big=Sketches)
cdef int _see_many(Seeing row, int which, int number, u64 item, Table table) except -1
cdef int _see_too_many(Seeing row, int which, u64 item, Table table) except -1
