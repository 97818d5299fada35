cimport cython

@cython.final
cdef class Body:
    cdef readonly bytearray kept
    cdef readonly Py_ssize_t limit
    cdef public object size
    cdef public bint complete
    cdef readonly bint full
    cdef readonly object content

    @cython.locals(room=Py_ssize_t)
    cpdef add(self, bytes data, Py_ssize_t start, Py_ssize_t end)
    cpdef add_all(self, bytes data, Py_ssize_t size)
    cpdef lose(self, missing_bytes)

@cython.final
cdef class Chunks:
    cdef public long long left
    cdef bytes _line
    cdef bint _wants_line_end, _in_trailer, _ended

    @cython.locals(end=Py_ssize_t, step=Py_ssize_t, line_end=Py_ssize_t, stop=Py_ssize_t)
    cpdef tuple take(self, bytes data, Py_ssize_t pos, Body body)
    cdef bint _fits(self, bytes line) except -1
    cpdef bint skip(self, missing_bytes, Body body) except -1
