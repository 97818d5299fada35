cimport cython

@cython.final
cdef class Reader:
    cdef bytes _data
    cdef Py_ssize_t _end, _pos

    cpdef bytes take(self, Py_ssize_t count)
    @cython.locals(value=Py_ssize_t, end=Py_ssize_t, at=Py_ssize_t)
    cpdef Py_ssize_t number(self, Py_ssize_t size) except -1
    cpdef bytes vector(self, Py_ssize_t length_size)

@cython.locals(
    found=list, at=Py_ssize_t, end=Py_ssize_t, first=Py_ssize_t, kind_high=int, kind_low=int, high=int, low=int
)
cpdef list extension_list(bytes data, Py_ssize_t most)
@cython.locals(found=list, at=Py_ssize_t, high=int)
cpdef list numbers(bytes data)
