cimport cython

cdef double _E

cdef class Judge:
    cdef object _settings
    cdef double[6] _caps
    cdef double[6] _login_caps
    cdef double _beside_cap, _prior, _known_pair, _watch_at, _challenge_at, _delay_at, _block_at

    @cython.locals(log_odds=double, risk=double, weight=double, group=int, all_found=list)
    cpdef object judge(self, list evidence, bint known, tuple beside=*)
    @cython.locals(volume=double, extra=double, weight=double)
    cpdef double score(self, int group, tuple reasons) except? -1.0
    cpdef object action(self, double risk)
