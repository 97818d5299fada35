cimport cython
from lapwing.detect.distinct cimport Distinct
from lapwing.detect.login cimport Login, i64, u64

cdef int _SEQS, _SAMPLES, _PROTOCOLS

@cython.final
cdef class Episode:
    cdef public i64 first_ns, last_ns
    cdef public u64 first_hi, first_lo
    cdef public int attempts, failures, successes, owned, unseen, inferred
    cdef public list protocols, clients, places, named
    cdef i64 _seqs[5]
    cdef int _seq_count
    cdef list _texts
    cdef int _latest_protocol
    cdef u64 _latest_client
    cdef public Distinct sources, accounts, secrets

    cpdef int note(self, Login login, bint name_source=*, bint name_account=*) except -1
    cpdef bint asks_name(self, u64 account) except -1
    @cython.locals(index=Py_ssize_t)
    cpdef list addresses(self)
