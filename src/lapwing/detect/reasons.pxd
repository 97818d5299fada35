cdef class Reason:
    cdef public str name
    cdef public double value, threshold, weight

    cpdef list dump(self)
