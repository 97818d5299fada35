cimport cython
from lapwing.logins.http_answers cimport AnswerReader
from lapwing.logins.http_fields cimport may_have_fields

@cython.final
cdef class HttpLogins:
    cdef object _context, _early
    cdef AnswerReader _answers
    cdef dict _pending, _accepted
    cdef Py_ssize_t _last_request

    cpdef bint asked(self, Py_ssize_t index, str target, str content_type, bint authorized) except -1
    cpdef bint answered(self, Py_ssize_t index) except -1
    cpdef message(self, side, message, ts_ns)
    cpdef close(self, ts_ns)
    cdef _request(self, request, ts_ns)
    cdef _response(self, response, ts_ns)
    cdef _accept(self, tuple identity)
    cdef tuple _normalised(self, credentials)
    cdef _attempt(self, request, tuple identity, str mechanism, ts_ns)
