cimport cython
from lapwing.protocols.tls.hello cimport is_grease

cdef dict _known

@cython.locals(name=tuple, found=tuple)
cpdef tuple ja3_and_ja4(hello, str transport)
cpdef str ja3(hello)
cpdef str ja3s(hello)
@cython.locals(ciphers=list, kinds=list, others=list)
cpdef str ja4(hello, str transport)
cpdef list kinds_of(list extensions)
cdef str _ja4_alpn(list names)
cdef list _meaning(list numbers)
cdef str _decimal(list numbers)
@cython.locals(words=list, number=int)
cdef str _hex(list numbers)
