cimport cython

@cython.locals(size=Py_ssize_t, version=int, mode=int, count=int)
cpdef probe(side, bytes datagram)

@cython.final
cdef class NtpParser:
    cdef readonly object poisoned
    cdef readonly bint done
    cdef int _bad

    cpdef list parse(self, side, bytes datagram, now_ns)
    cpdef list close(self, now_ns)

@cython.locals(version=int, mode=int)
cdef _read(bytes datagram)
cdef str _reference(number, int stratum)
cpdef _time_ns(stamp)
