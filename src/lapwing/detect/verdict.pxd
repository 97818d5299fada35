cimport cython

cdef double _E
cdef int _SOURCE

cdef class Judge:
    cdef object _settings, _nothing, _nothing_known
    cdef double[6] _caps
    cdef double[6] _login_caps
    cdef double _beside_cap, _prior, _known_pair, _watch_at, _challenge_at, _delay_at, _block_at

    @cython.locals(log_odds=double, risk=double, weight=double, group=int, all_found=list)
    cpdef object judge(self, list evidence, bint known, tuple beside=*)
    @cython.locals(log_odds=double, risk=double)
    cdef object _of_nothing(self, bint known)
    @cython.locals(volume=double, extra=double, weight=double)
    cpdef double score(self, int group, tuple reasons) except? -1.0
    cpdef object action(self, double risk)
