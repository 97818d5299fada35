cdef class FieldNames:
    cdef dict _user_ranks, _secret_ranks
    cdef object _look

    cpdef sort_out(self, list fields)
