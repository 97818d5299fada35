cimport cython

@cython.locals(line=bytes)
cpdef probe(side, bytes head)
cdef _probe_rest(bytes head)
