cimport cython

@cython.final
cdef class RecordBuffer:
    cdef bytes _data
    cdef Py_ssize_t _skip
    cdef readonly bytes body
    cdef readonly int kind

    cpdef push(self, bytes data)
    @cython.locals(data=bytes, size=Py_ssize_t, end=Py_ssize_t, kind=int, high=int, length=int, known=bint)
    cpdef bint step(self) except -1
    cpdef bint gap(self, Py_ssize_t missing_bytes) except -1

@cython.final
cdef class HandshakeBuffer:
    cdef bytes _data
    cdef readonly bytes body
    cdef readonly int kind

    cpdef push(self, bytes body)
    @cython.locals(data=bytes, size=Py_ssize_t, end=Py_ssize_t, high=int, middle=int)
    cpdef bint step(self) except -1
