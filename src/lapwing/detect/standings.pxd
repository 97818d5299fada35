cimport cython
from lapwing.detect.journal cimport u8, u32
from lapwing.detect.login cimport Keyring, i64, u64

cdef i64 _NOWHERE, _SECOND
cdef int MOST_LEVELS
cdef u8 SIX, RANKS
cdef u64 LOW, MAPPED

cdef class Standings:
    cdef Keyring _keyring
    cdef public i64 count
    cdef u64 _mask
    cdef u32[::1] _index, _spans, _older, _newer
    cdef u64[::1] _places, _since
    cdef u8[::1] _ranks, _levels
    cdef i64 _room, _used
    cdef u32 _free, _newest
    cdef public u32 oldest

    @cython.locals(at=u64, number=u32, six=u8, place=u64)
    cpdef i64 find(self, u64 hi, u64 lo) except? -2
    @cython.locals(row=i64)
    cpdef i64 put(self, u64 hi, u64 lo) except -2
    cpdef int write(self, i64 row, int rank, int level, i64 since_ns, i64 until_ns) except -1
    @cython.locals(hole=u64, at=u64, other=u32, home=u64)
    cpdef int remove(self, i64 row) except -1
    cpdef int rank(self, i64 row) except -1
    cpdef int level(self, i64 row) except -1
    cpdef i64 since(self, i64 row) except? -2
    @cython.locals(span=i64)
    cpdef i64 until(self, i64 row) except? -2
    @cython.locals(span=i64)
    cpdef int end(self, i64 row, i64 until_ns) except -1
    cpdef u64 hi(self, i64 row) except? 1
    cpdef u64 lo(self, i64 row) except? 1
    cpdef u32 newer(self, u32 number) except? 1
    @cython.locals(row=i64, six=u8)
    cdef i64 _new(self, u64 hi, u64 lo) except -2
    cdef u64 _home(self, u32 number) except? 1
    @cython.locals(at=u64)
    cdef int _enter(self, u32 number) except -1
    @cython.locals(number=u32)
    cdef int _grow_index(self) except -1
    cdef int _append(self, u32 number) except -1
    @cython.locals(older=u32, newer=u32)
    cdef int _unlink(self, u32 number) except -1
