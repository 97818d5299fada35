cimport cython

@cython.final
cdef class SshLogins:
    cdef object _context, _fingerprint, _waiting

    cpdef message(self, side, message, ts_ns)
    cpdef close(self, ts_ns)
    cdef list _login(self, message, ts_ns)
    cdef _attempt(self, ts_ns, str mechanism)

cdef bint _is_refused_offer(message) except -1
