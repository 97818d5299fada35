cimport cython
from lapwing.protocols.ssh.clear cimport ClearSide
from lapwing.protocols.ssh.outcome cimport LoginWatch

@cython.final
cdef class SshParser:
    cdef readonly object poisoned, next_wakeup_ns
    cdef public long long patience_ns
    cdef readonly bint done
    cdef ClearSide _client, _server
    cdef bytes _client_offer, _server_offer
    cdef LoginWatch _watch
    cdef long long _asked_ns
    cdef bint _told

    @cython.locals(reader=ClearSide)
    cpdef list feed(self, side, bytes data, now_ns)
    @cython.locals(reader=ClearSide)
    cpdef list gap(self, side, Py_ssize_t missing_bytes, now_ns)
    cpdef list tick(self, now_ns)
    cpdef list close(self, side, reason, now_ns)
    cdef list _clear(self, side, list found)
    cdef list _encrypted(self, side, bytes data, now_ns)
    cdef _wait(self, side, now_ns)
    cdef LoginWatch _start_watch(self)
    @cython.locals(client=ClearSide, server=ClearSide)
    cdef _settle(self)
