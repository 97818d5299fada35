cimport cython
from lapwing.sessions.session cimport Session

@cython.final
cdef class Wakeups:
    cdef readonly long long next_ns, due_ns
    cdef readonly Py_ssize_t slot
    cdef list _sessions, _heap
    cdef Py_ssize_t _limit

    cpdef plan(self, Session session, Py_ssize_t slot, long long due_ns)
    @cython.locals(heap=list, entry=tuple, session=Session)
    cpdef Session due(self, long long until_ns)
    cpdef clear(self)
    @cython.locals(session=Session)
    cdef Session _of(self, tuple entry)
    cdef _sweep(self)
