cimport cython

@cython.final
cdef class SaslExchange:
    cdef readonly str mechanism
    cdef object _context, _attempt, _login_name
    cdef str _protocol
    cdef Py_ssize_t _said
    cdef bint _cancelled

    cpdef list line(self, str line, ts_ns)
    cpdef list data(self, data, ts_ns)
    cdef list _login(self, data, ts_ns)
    cdef _present(self, said, ts_ns)
    cpdef list judged(self, outcome, double confidence, str detail, ts_ns)
    cpdef list abandoned(self, ts_ns, str detail=*)
