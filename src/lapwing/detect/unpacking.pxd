cimport cython
from lapwing.detect.login cimport i64, u64

cdef class Unpacker:
    cdef object _data
    cdef const unsigned char[::1] _bytes
    cdef i64 _end
    cdef public i64 at

    @cython.locals(left=i64, kind=int, length=i64)
    cdef int _pass(self, i64 count) except -1
    cdef int _kind(self) except -1
    @cython.locals(value=u64, at=i64)
    cdef u64 _number(self, int size) except? 0
