cimport cython
from lapwing.protocols.http.sides cimport Exchanges, RequestReader, ResponseReader

@cython.final
cdef class QuietRequestReader(RequestReader):
    cdef object _listener

@cython.final
cdef class QuietResponseReader(ResponseReader):
    cdef object _listener
