cimport cython
cimport lapwing.detect.laid_out as layout
cimport lapwing.detect.lines as lines
cimport lapwing.detect.natively as natively
from lapwing.detect.login cimport u64

ctypedef unsigned int u32
ctypedef unsigned char u8

cdef u64 _LINES_AHEAD, _WORN

@cython.final
cdef class Index:
    cdef u32[::1] numbers
    cdef u8[::1] marks
    cdef readonly u64 mask
    cdef readonly u64 used, most
    cdef u64 _hand, _lost

    @cython.locals(line=u64, away=u32, free=u32, place=u64)
    cpdef int put(self, u64 key, u32 number) noexcept
    cpdef int replace(self, u64 key, u32 number, u32 instead) except -1
    @cython.locals(at=u64, line=u64, passed=u64)
    cpdef int take(self, u64 key, u32 number) except -1
    @cython.locals(line=u64, gone=u32, ahead=u64)
    cpdef int sweep(self, u64 count, u32 turn, u32 here) noexcept
    cpdef u32 kept_out(self, u64 line) noexcept
    @cython.locals(line=u64, at=u64, hits=u32, mark=u32)
    cdef inline Py_ssize_t _place_of(self, u64 key, u32 number) except -1
    @cython.locals(away=u64, back=u64)
    cdef int _forget(self, u64 line, u64 place) noexcept
    cdef int _free(self, u64 line, u64 place) noexcept
    @cython.locals(at=u64)
    cdef int _count_in(self, u64 line) noexcept
    @cython.locals(at=u64)
    cdef int _count_out(self, u64 line) noexcept

cdef inline u32 _shift_of(u64 place) noexcept
