cimport cython
from lapwing.protocols.http.reader cimport SideReader
from lapwing.protocols.http.sides cimport RequestReader, ResponseReader

@cython.final
cdef class HttpParser:
    cdef readonly object poisoned, handover
    cdef readonly bint done
    cdef readonly long long idle_bytes
    cdef readonly RequestReader _requests
    cdef readonly ResponseReader _responses

    @cython.locals(reader=SideReader)
    cpdef feed(self, side, bytes data, now_ns)
    @cython.locals(reader=SideReader)
    cpdef wake(self, side, long long left)
    cdef _leave(self, last)
    @cython.locals(reader=SideReader)
    cpdef gap(self, side, missing_bytes, now_ns)
    cpdef close(self, side, reason, now_ns)
