cimport cython
from lapwing.protocols.tls.fingerprints cimport ja3_and_ja4, ja3s, kinds_of
from lapwing.protocols.tls.hello cimport read_client_hello, read_server_hello
from lapwing.protocols.tls.names cimport alert_name, cipher_name, group_name, version_name
from lapwing.protocols.tls.records cimport HandshakeBuffer, RecordBuffer

cdef int _CHANGE_CIPHER, _ALERT, _HANDSHAKE, _APPLICATION

cpdef probe(side, bytes head)
@cython.locals(size=Py_ssize_t)
cdef bint _is_hello(bytes head) except -1
cpdef client_hello_message(hello, str transport)
cdef bint _presents_ticket(list extensions) except -1
cpdef server_hello_message(hello)

@cython.final
cdef class _Speaker:
    cdef readonly RecordBuffer records
    cdef readonly HandshakeBuffer handshake
    cdef readonly bint encrypted, unreadable

@cython.final
cdef class TlsParser:
    cdef readonly object poisoned, next_wakeup_ns
    cdef readonly bint done
    cdef public long long patience_ns
    cdef long long _asked_ns
    cdef int _closed_count
    cdef _Speaker _client, _server
    cdef object _asked, _answered, _curve
    cdef bint _certified
    cdef str _history

    @cython.locals(speaker=_Speaker)
    cpdef list feed(self, side, bytes data, now_ns)
    @cython.locals(speaker=_Speaker)
    cpdef list gap(self, side, missing_bytes, now_ns)
    cpdef list close(self, side, reason, now_ns)
    cpdef list tick(self, now_ns)
    @cython.locals(kind=int, handshake=HandshakeBuffer)
    cdef _record(self, side, _Speaker speaker, list messages, now_ns)
    cdef bint _is_13(self) except -1
    cdef _note(self, side, str letter)
    @cython.locals(letter=str)
    cdef _handshake(self, side, int kind, bytes body, list messages, now_ns)
    cdef _encrypts(self, _Speaker speaker, list messages)
    cdef bint _resumed(self, answered) except -1
