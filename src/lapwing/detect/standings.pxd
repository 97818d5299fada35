cimport cython
from lapwing.detect.journal cimport u8, u32
from lapwing.detect.login cimport i64, u64

cdef i64 _NOWHERE
cdef int MOST_LEVELS

cdef class Standings:
    cdef public i64 count
    cdef u64 _mask
    cdef u32[::1] _index, _older, _newer
    cdef u64[::1] _keys, _his, _los, _since, _until
    cdef u8[::1] _ranks, _levels
    cdef i64 _room, _used
    cdef u32 _free, _newest
    cdef public u32 oldest

    @cython.locals(at=u64, row=u32)
    cpdef i64 find(self, u64 key) except? -2
    @cython.locals(row=i64)
    cpdef i64 put(self, u64 key, u64 hi, u64 lo) except -2
    cpdef int write(self, i64 row, int rank, int level, i64 since_ns, i64 until_ns) except -1
    @cython.locals(hole=u64, at=u64, other=u32, home=u64)
    cpdef int remove(self, i64 row) except -1
    cpdef int rank(self, i64 row) except -1
    cpdef int level(self, i64 row) except -1
    cpdef i64 since(self, i64 row) except? -2
    cpdef i64 until(self, i64 row) except? -2
    cpdef int end(self, i64 row, i64 until_ns) except -1
    cpdef u64 hi(self, i64 row) except? 1
    cpdef u64 lo(self, i64 row) except? 1
    cpdef u32 newer(self, u32 number) except? 1
    @cython.locals(row=i64)
    cdef i64 _new(self, u64 key) except -2
    @cython.locals(at=u64)
    cdef int _enter(self, u64 key, u32 number) except -1
    @cython.locals(number=u32)
    cdef int _grow_index(self) except -1
    cdef int _append(self, u32 number) except -1
    @cython.locals(older=u32, newer=u32)
    cdef int _unlink(self, u32 number) except -1
