cimport cython
cimport lapwing.detect.laid_out as layout
cimport lapwing.detect.lines as lines
cimport lapwing.detect.natively as natively
cimport lapwing.detect.records as records
from lapwing.detect.index cimport Index
from lapwing.detect.journal cimport Journal, Pointing, u8, u16, u32
from lapwing.detect.login cimport i64, u64
from lapwing.detect.rows cimport Row

cdef int _NONE_BESIDE
cdef u64 LAST_BYTE

cdef class Pointer(Pointing):
    cdef Table table

    cdef int lose(self) noexcept
    cdef int sweep(self, i64 turns) noexcept

@cython.final
cdef class Table:
    cdef public int field, number, dimension
    cdef public i64 limit, evicted_count, refused_count
    cdef public Journal journal
    cdef public i64 sparks, found
    cdef i64 _hand
    cdef u32 _bit
    cdef Index _index
    cdef u32[::1] _numbers
    cdef u8[::1] _marks
    cdef u64 _last
    cdef Py_ssize_t _next, _room
    cdef u64[::1] _keys
    cdef u32[::1] _links
    cdef list _rows
    cdef int _lines
    cdef u32 _free
    cdef list _beside, _free_beside
    cdef Py_ssize_t _count
    cdef u32 _oldest[2]
    cdef u32 _newest[2]

    cpdef i64 find(self, u64 key) noexcept
    cpdef i64 find_row(self, u64 key) noexcept
    cpdef int glance(self, u64 key) noexcept
    @cython.locals(line=u64, left=u64, mark=u32, hits=u32, value=u32, slot=i64, number=Py_ssize_t)
    cpdef i64 approach(self, u64 key) noexcept
    @cython.locals(first=i64)
    cpdef int reach(self, i64 found) noexcept
    cdef inline u64 _key_of(self, u32 value) noexcept
    cdef inline u64 _key_of_spark(self, u32 slot) noexcept
    cpdef Row row_at(self, i64 at)
    cpdef Row peek(self, u64 key)
    cpdef Row meet(self, u64 key, i64 hint)
    cpdef Row meet_row(self, u64 key, i64 hint)
    cdef inline bint _is_row_of(self, i64 row, u64 key) noexcept
    cdef int _class_of(self, i64 row) noexcept
    @cython.locals(which=int)
    cpdef int refresh(self, i64 row) noexcept
    cpdef bint insert(self, u64 key, Row row) except -1
    @cython.locals(slot=i64)
    cpdef bint spark(self, u64 key, i64 pos) except -1
    cpdef bint is_first(self, i64 slot) noexcept
    @cython.locals(renewed=i64, value=u32)
    cpdef bint renew(self, u64 key, i64 slot, i64 pos) except -1
    @cython.locals(value=u32)
    cpdef int kindle(self, u64 key, i64 slot, Row row) except -1
    cpdef int sweep(self, u64 count) noexcept
    cdef inline u32 _value_of(self, i64 slot) noexcept
    cdef inline bint _is_gone(self, u32 value) noexcept
    cdef inline bint _is_lit(self, i64 slot) noexcept
    cpdef int hold(self, u64 key) noexcept
    cpdef bint holds(self, u64 key) noexcept
    @cython.locals(number=Py_ssize_t)
    cdef inline u32 _new_row(self, u64 key, Row row) except? 0
    @cython.locals(nodes=object)
    cdef int _widen(self) except -1
    @cython.locals(at=Py_ssize_t, newest=u32)
    cdef inline int _append(self, u32 row, u32 which) noexcept
    @cython.locals(at=Py_ssize_t, which=u32, older=u32, newer=u32)
    cdef inline int _unlink(self, u32 row) noexcept
    cdef inline int _write(self, u64 key, u32 value) except -1
    cdef int _take_index(self, Index index) except -1
    @cython.locals(old=Index, line=u64, place=u64, value=u32)
    cdef int _make_index(self) except -1
    cdef bint _make_room(self) except -1
    cdef i64 _next_spark(self) noexcept
    @cython.locals(slot=i64)
    cdef bint _evict_spark(self) except -1
    @cython.locals(row=u32, at=u32)
    cdef bint _evict_row(self) except -1
    @cython.locals(at=Py_ssize_t)
    cdef int _remove(self, u32 row) except -1
    @cython.locals(number=Py_ssize_t)
    cpdef int put_beside(self, object what) except -1
    cpdef object beside(self, int number)
    cpdef int release(self, Row row) except -1
    cdef int _drop_beside(self, int number) except -1

@cython.locals(line=u64, left=u64, mark=u32, hits=u32, value=u32)
cdef inline i64 _find(Table table, u64 key, bint or_spark) noexcept
cdef bint _is_spark_of(Table table, i64 slot, u64 key) noexcept
@cython.locals(base=Py_ssize_t, field=int, hi=u64, differs=u64)
cdef bint _is_of(Table table, i64 slot, u64 key) noexcept
