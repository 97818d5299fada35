cimport cython

@cython.final
cdef class FtpLogins:
    cdef object _context, _user_asked_ns, _pending
    cdef str _user

    cpdef message(self, side, message, ts_ns)
    cpdef close(self, ts_ns)
    cdef list _command(self, command, ts_ns)
    cdef list _presented(self, command, ts_ns)
    cdef list _reply(self, reply, ts_ns)
    cdef str _mechanism(self)
    cdef _attempt(self, ts_ns, str mechanism, str secret)

cdef _judge(reply)
