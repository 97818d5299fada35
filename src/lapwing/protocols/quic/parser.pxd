cimport cython

@cython.locals(id_bytes=Py_ssize_t, size=Py_ssize_t, large=bint)
cpdef probe(side, bytes datagram)
