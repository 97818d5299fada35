cimport cython
from lapwing.protocols.lines cimport Line, LineBuffer

@cython.final
cdef class ClearSide:
    cdef object _side
    cdef LineBuffer _lines
    cdef Py_ssize_t _preamble_bytes, _skip
    cdef bytearray _data
    cdef readonly str banner, error
    cdef readonly bint encrypted, lost
    cdef public bytes rest

    @cython.locals(lines=LineBuffer)
    cpdef list push(self, bytes data)
    cpdef gap(self, Py_ssize_t missing_bytes)
    @cython.locals(line=Line)
    cdef bint _read_banner(self, LineBuffer lines) except -1
    cdef bint _may_go_on(self) except -1
    @cython.locals(data=bytearray, skipped=Py_ssize_t, length=cython.longlong, kind=int)
    cdef _packets(self, list found)
    cdef bint _fits(self, int kind, long long length) except -1
    cdef bytes _take_payload(self, Py_ssize_t length)
