cimport cython
from lapwing.protocols.tls.hello cimport is_grease

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
