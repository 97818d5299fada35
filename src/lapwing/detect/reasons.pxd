cimport cython

@cython.no_gc
@cython.freelist(256)
cdef class Reason:
    cdef public str name
    cdef public double value, threshold, weight

    cpdef list dump(self)
