cimport cython

@cython.final
cdef class Outlet:
    cdef readonly object families
    cdef readonly bint wants_flows, wants_sessions, wants_anomalies, wants_files
    cdef bint _wants_logins
    cdef object _detector
    cdef str _sensor
    cdef Py_ssize_t _seq
    cdef list _out

    cpdef list take(self)
    cpdef publish(self, event)
    cpdef login(self, login)
    cpdef found(self, events)
    cdef _stamp(self, event)
