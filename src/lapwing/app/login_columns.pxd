cimport cython
cimport lapwing.detect.members as members
from lapwing.detect.block cimport Block
from lapwing.detect.login cimport Login, i64

cdef object _FAILED, _SUCCEEDED
cdef i64 _MOST
cdef Py_ssize_t _NEAR, _FAR

@cython.final
cdef class LoginColumns:
    cdef public Py_ssize_t count
    cdef list _ts_ns, _address, _outcome, _protocol, _mechanism, _endpoint, _username, _secret_tag, _fingerprint
    cdef list _user_agent, _exists, _tries, _confidence, _evidence, _inferred, _seq
    cdef bint _says_more

    cdef int look_out(self, Py_ssize_t at) except -1
    @cython.locals(login=Login, client=str)
    cpdef bint add_to(self, Block block, Py_ssize_t at) except -1

@cython.locals(at=Py_ssize_t, number=i64)
cdef bint _all_count(list column) except -1
@cython.locals(at=Py_ssize_t, count=Py_ssize_t)
cdef Py_ssize_t _first_other(list column, object one, object other) except -1
