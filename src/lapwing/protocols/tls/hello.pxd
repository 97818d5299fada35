cimport cython
from lapwing.protocols.tls.reader cimport Reader, extension_list, numbers

cdef dict _offers, _TWO_BYTES
cdef frozenset _OFFERED

cpdef bint is_grease(int number) except -1
@cython.locals(
    reader=Reader, ciphers=bytes, extensions=list, by_kind=dict, offer=bytes, found=tuple, suites=list, alpn=list,
    groups=list, algorithms=list, versions=list
)
cpdef read_client_hello(bytes body)
@cython.locals(parts=list, data=bytes, offer=bytes)
cdef bytes _offer(bytes version, bytes ciphers, list extensions)
@cython.locals(found=bytes)
cdef bytes _two_bytes(number)
@cython.locals(found=int, one=int)
cpdef int highest(list versions, int otherwise) except -1
@cython.locals(reader=Reader, extensions=list, by_kind=dict, chosen=bytes, share=bytes, alpn=list)
cpdef read_server_hello(bytes body)
cdef list _extensions(Reader reader)
@cython.locals(names=Reader, name=bytes)
cdef _server_name(bytes data)
@cython.locals(names=Reader, found=list)
cdef list _alpn(bytes data)
cdef list _numbers(bytes data, int length_size)
cdef bytes _point_formats(bytes data)
