cimport cython
from lapwing.protocols.lines cimport Line, text_of

@cython.final
cdef class ReplyBuilder:
    cdef bint _any_code_ends
    cdef bytes _code
    cdef list _lines
    cdef Py_ssize_t _held
    cdef readonly Py_ssize_t strange_count

    cpdef add(self, Line line)
    cpdef gap(self)
    cdef _continue(self, Line line, found)
    cdef _keep(self, str text)
