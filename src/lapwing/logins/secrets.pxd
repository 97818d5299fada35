cdef class SecretTagger:
    cdef bytes _key
    cdef object _leaks
    cdef set _leaked, _leaked_before

    cpdef str tag(self, secret)
    cpdef watch_for(self, leaks)
    cpdef is_leaked(self, str tag)
