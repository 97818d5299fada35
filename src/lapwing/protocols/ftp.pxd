cimport cython
from lapwing.protocols.lines cimport Line, LineBuffer, text_of
from lapwing.protocols.replies cimport ReplyBuilder

@cython.final
cdef class FtpParser:
    cdef readonly object poisoned, handover
    cdef readonly bint done
    cdef LineBuffer _client, _server
    cdef ReplyBuilder _replies
    cdef bint _replied
    cdef Py_ssize_t _strange_count
    cdef str _secret

    cpdef list feed(self, side, bytes data, now_ns)
    cpdef list gap(self, side, missing_bytes, now_ns)
    cpdef list close(self, side, reason, now_ns)
    cdef list _client_lines(self)
    cdef list _server_lines(self)
    cdef _command(self, Line line)
    cdef _strange(self, Line line)
    cdef _sent(self, str verb, str argument)
    cdef _reply(self, Line line)
