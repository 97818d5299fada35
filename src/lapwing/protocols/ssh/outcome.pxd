cimport cython
from lapwing.protocols.ssh.sizes cimport Framing, Turn

@cython.final
cdef class LoginWatch:
    cdef readonly bint done
    cdef readonly Py_ssize_t attempt_count
    cdef list _found
    cdef Framing _client_sizes, _server_sizes
    cdef Turn _client, _server
    cdef bint _none_first, _client_spoke, _accepted, _credential_has_none_size, _undecided
    cdef object _request, _first_to_close
    cdef Py_ssize_t _request_bytes, _none_bytes, _failure_bytes, _other_count, _other_bytes
    cdef double _failure_confidence

    cpdef list feed(self, side, bytes data)
    cpdef list gap(self, side, Py_ssize_t missing_bytes)
    cpdef list close(self, side, str reason)
    cpdef awaited(self)
    cdef list _take(self)
    cdef _turn_to(self, side)
    cdef _asked(self)
    cdef _classify(self, Py_ssize_t size)
    cdef _kind_of(self, Py_ssize_t size)
    cdef bint _opens_channel(self, list sizes) except -1
    cdef _answered(self)
    cdef bint _is_failure(self, Py_ssize_t size) except -1
    cdef _other(self, Py_ssize_t size)
    cdef _unanswered(self)
    cdef bint _is_too_many(self, Py_ssize_t size) except -1
    cdef _verdict(self, outcome, double confidence, str detail)
    cdef str _mechanism(self)
    cdef str _mechanism_of(self, Py_ssize_t size)
