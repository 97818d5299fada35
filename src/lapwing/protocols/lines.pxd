cimport cython

cpdef str text_of(bytes data)

@cython.final
cdef class Line:
    cdef readonly bytes data
    cdef readonly bint cut, bare, doubtful

    cpdef Line with_data(self, bytes data)

@cython.final
cdef class LineBuffer:
    cdef object _data
    cdef Py_ssize_t _limit, _pos, _scan
    cdef bint _skipping, _doubtful

    cpdef push(self, bytes data)
    @cython.locals(end=Py_ssize_t, pos=Py_ssize_t)
    cpdef Line line(self)
    cpdef bytes take(self, count=*)
    cpdef Line rest(self)
    cpdef gap(self)
    cpdef bint starts_with(self, bytes prefix) except -1
    @cython.locals(doubtful=bint)
    cdef Line _finish(self, bytes raw)
    cdef _compact(self)
