cimport cython
from lapwing.protocols.lines cimport Line, LineBuffer, text_of
from lapwing.protocols.mail cimport Mail
from lapwing.protocols.replies cimport ReplyBuilder

@cython.final
cdef class SmtpParser:
    cdef readonly object poisoned, handover
    cdef readonly bint done
    cdef LineBuffer _client, _server
    cdef ReplyBuilder _replies
    cdef object _pending, _mode, _read_entities
    cdef Mail _mail
    cdef object _chunk_left
    cdef bint _chunk_last, _replied
    cdef Py_ssize_t _strange_count
    cdef str _secret

    cpdef list feed(self, side, bytes data, now_ns)
    cpdef list gap(self, side, missing_bytes, now_ns)
    cpdef list close(self, side, reason, now_ns)
    cdef _client_gap(self, missing_bytes)
    cdef list _client_messages(self)
    cdef bint _read_chunk(self) except -1
    cdef _command(self, Line line)
    cdef bint _in_auth(self, str verb) except -1
    cdef _strange(self, Line line)
    cdef _begin(self, str verb, str argument, Line line)
    cdef _begin_chunk(self, str argument)
    cdef list _server_messages(self)
    cdef _reply(self, Line line)
    cdef _answered(self, int code)
    cdef str _answered_verb(self, int code)
    cdef _answered_data(self, bint accepted)
