cimport cython
from lapwing.protocols.http.bodies cimport Body
from lapwing.protocols.http.reader cimport SideReader

@cython.final
cdef class Exchanges:
    cdef list _asked
    cdef Py_ssize_t _next_request, _next_response

    @cython.locals(index=Py_ssize_t)
    cdef Py_ssize_t ask(self, str method, str target) except -1
    cdef tuple answer(self, bint final, bint after_loss)

cdef class RequestReader(SideReader):
    cdef Exchanges _exchanges
    cdef object _head_read, _read_body
    cdef Py_ssize_t _index

    cdef _begin(self, request)

cdef class ResponseReader(SideReader):
    cdef Exchanges _exchanges
    cdef object _head_read, _asked, _read_body
    cdef Py_ssize_t _index

    cdef _begin(self, response)
    cdef long long _answer(self, int status, long long framing) except -9
