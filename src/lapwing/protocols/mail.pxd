cimport cython
from lapwing.protocols.lines cimport Line, LineBuffer, text_of

@cython.final
cdef class Mail:
    cdef readonly str mail_from
    cdef readonly list rcpt_to
    cdef readonly bint started
    cdef bint _bare, _complete, _in_header, _folding, _artificial
    cdef object _read_entities, _entities
    cdef list _headers
    cdef object _section_bytes, _body_bytes
    cdef bytes _tail
    cdef LineBuffer _chunked

    cpdef add_recipient(self, str argument)
    cpdef begin(self, bint bare)
    cpdef abandon(self)
    cpdef gap(self, missing_bytes)
    cpdef finish(self)
    cpdef cut_off(self)
    cpdef bint read_dotted(self, LineBuffer buffer) except -1
    cpdef add_chunk(self, bytes data)
    cdef _header_line(self, Line line)
    cdef _field(self, bytes data)
    cdef _fold(self, bytes data)
    cdef bint _read_dotted_body(self, LineBuffer buffer) except -1
    cdef _hand_on(self, bytes content)
    cdef tuple _find_end(self, bytes window)
