cimport cython
cimport lapwing.detect.natively as natively
from lapwing.detect.journal cimport u32
from lapwing.detect.login cimport Keyring, i64, u64

cdef i64 _NOWHERE, _SECOND
cdef int MOST_LEVELS, LEVEL_SHIFT
cdef u32 SIX, RANKS, NUMBER, TAG
cdef Py_ssize_t ROW_WORDS, ROW_HALVES, PLACE, SINCE, SPAN, RANK, OLDER, NEWER
cdef u64 LOW, MAPPED

@cython.final
cdef class Standings:
    cdef Keyring _keyring
    cdef public i64 count
    cdef u64 _mask, _sought, _at
    cdef u64 _addresses[8]
    cdef u64 _sources[4]
    cdef u32[::1] _index, _halves
    cdef u64[::1] _words
    cdef i64 _room, _used
    cdef u32 _free, _newest
    cdef public u32 oldest

    cpdef i64 find(self, u64 hi, u64 lo) noexcept
    @cython.locals(at=u64, tag=u32, entry=u32, six=u32, place=u64, row=i64)
    cpdef i64 seek(self, u64 key, u64 hi, u64 lo) noexcept
    cpdef int glance(self, u64 key) noexcept
    @cython.locals(at=u64, tag=u32, entry=u32)
    cpdef int approach(self, u64 key) noexcept
    @cython.locals(key=u64, row=i64)
    cpdef Py_ssize_t put(self, u64 hi, u64 lo) except -2
    @cython.locals(row=i64, six=u32)
    cpdef Py_ssize_t add(self, u64 key, u64 hi, u64 lo) except -2
    cpdef int refresh(self, i64 row) noexcept
    @cython.locals(at=i64)
    cpdef int write(self, i64 row, int rank, int level, i64 since_ns, i64 until_ns) noexcept
    @cython.locals(hole=u64, at=u64, other=u32, home=u64)
    cpdef int remove(self, i64 row) noexcept
    cpdef int rank(self, i64 row) noexcept
    cpdef int level(self, i64 row) noexcept
    cpdef i64 since(self, i64 row) noexcept
    @cython.locals(span=i64)
    cpdef i64 until(self, i64 row) noexcept
    @cython.locals(span=i64)
    cpdef int end(self, i64 row, i64 until_ns) noexcept
    cpdef int in_force(self, i64 row, i64 now_ns) noexcept
    @cython.locals(longer_ns=i64, until_ns=i64)
    cpdef i64 renew(self, i64 row, i64 now_ns, i64 duration_s) noexcept
    cpdef u64 hi(self, i64 row) noexcept
    cpdef u64 lo(self, i64 row) noexcept
    cpdef u32 newer(self, u32 number) noexcept
    cdef u64 _key(self, u32 number) noexcept
    cdef u64 _home(self, u32 number) noexcept
    @cython.locals(at=u64)
    cdef int _enter(self, u64 key, u32 number) noexcept
    @cython.locals(number=u32, first=u32, count=int, lane=int)
    cdef int _grow_index(self) except -1
    @cython.locals(at=i64)
    cdef int _append(self, u32 number) noexcept
    @cython.locals(at=i64, older=u32, newer=u32)
    cdef int _unlink(self, u32 number) noexcept
