cimport cython

@cython.final
cdef class SmtpLogins:
    cdef object _context, _exchange

    cpdef message(self, side, message, ts_ns)
    cpdef close(self, ts_ns)
    cdef list _begin(self, str argument, ts_ns)
    cdef list _line(self, str line, ts_ns)
    cdef _reply(self, reply, ts_ns)

cdef tuple _judge(reply)
