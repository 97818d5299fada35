cimport cython
cimport lapwing.detect.members as members
from lapwing.detect.block cimport Block
from lapwing.detect.login cimport Login, u64

cdef object _FAILED, _SUCCEEDED
cdef Py_ssize_t _NEAR

@cython.final
cdef class LoginColumns:
    cdef public Py_ssize_t count
    cdef u64[::1] _ts_ns
    cdef bint _has_one_time
    cdef list _address, _outcome, _protocol, _mechanism, _endpoint, _username, _secret_tag, _fingerprint
    cdef list _user_agent, _exists, _tries, _confidence, _evidence, _inferred, _seq
    cdef bint _says_more

    cdef int look_out(self, Py_ssize_t at) except -1
    @cython.locals(login=Login, client=str)
    cpdef bint add_to(self, Block block, Py_ssize_t at) except -1

cpdef object _numbers(list column)
@cython.locals(told=list, known=dict)
cpdef list _meant(str name, list column)
