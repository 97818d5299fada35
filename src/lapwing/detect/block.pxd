cimport cython
cimport lapwing.detect.logins as logins
cimport lapwing.detect.members as members
from lapwing.detect.ahead cimport Ahead
from lapwing.detect.login cimport Keyring, Login, i64

cdef int _BLOCK, _APART, _STEPS, _NEAR, _FAR
cdef size_t _ONE, _FAILED, _SUCCEEDED, _PACKET_SIZE, _PROTOCOL_STATE
cdef object _RESOLVED
cdef Py_ssize_t _TS_NS, _CLIENT_IP, _OUTCOME, _PROTOCOL, _ENDPOINT, _USERNAME, _SECRET_TAG, _FINGERPRINT, _USER_AGENT
cdef Py_ssize_t _EXISTS, _TRIES, _CONFIDENCE, _EVIDENCE, _SEQ, _CIRCUMSTANCES

@cython.final
cdef class Block:
    cdef Keyring _keyring
    cdef Ahead _ahead
    cdef readonly list logins
    cdef public int count
    cdef public bint is_full

    @cython.locals(login=Login, client=str, outcome=size_t)
    cpdef bint add_event(self, object event) except -1
    cpdef int look_out(self, list events, Py_ssize_t at) except -1
    @cython.locals(login=Login)
    cpdef Login add(self, str address, str username, str protocol, str secret_tag, str client)
    cpdef int empty(self) except -1
    @cython.locals(at=Py_ssize_t)
    cpdef int fetch(self) except -1
    cdef bint _keep(self) except -1
    @cython.locals(ahead=Ahead, login=Login)
    cdef int _go_on(self, Py_ssize_t at) except -1
