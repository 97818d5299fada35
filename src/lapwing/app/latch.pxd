cimport lapwing.app.threads as native

cdef bint _PLAIN

cdef class Latch:
    cdef readonly bint is_lock
    cdef bint _busy
    cdef unsigned long _inside
    cdef int _waiting
    cdef object _lock

    cdef int enter(self) except -1
    cdef int leave(self) except -1
    cdef int _wait(self) except -1
    cdef int _refuse(self) except -1
