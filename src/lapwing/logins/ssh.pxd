cimport cython

@cython.no_gc
@cython.final
cdef class SshLogins:
    cdef object _context, _fingerprint

    cpdef message(self, side, message, ts_ns)
    cpdef close(self, ts_ns)
    cdef _login(self, message, ts_ns)

cdef bint _is_refused_offer(message) except -1
