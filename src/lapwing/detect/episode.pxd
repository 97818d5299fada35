cimport cython
from lapwing.detect.distinct cimport Distinct
from lapwing.detect.login cimport Keyring, Login, i64, u64

cdef int _SEQS, _SAMPLES, _PROTOCOLS

@cython.final
cdef class Episode:
    cdef i64 _seqs[5]  # what follows, up to `accounts`, every login reads or writes
    cdef public int attempts, failures, successes, unseen, inferred
    cdef int _seq_count
    cdef public i64 last_ns
    cdef u64 _latest_client
    cdef int _latest_protocol
    cdef public int owned
    cdef bint _clients_full, _places_full, _named_full
    cdef public Distinct secrets, sources, accounts
    cdef public list places, named, protocols, clients
    cdef public i64 first_ns
    cdef public u64 first_hi, first_lo
    cdef list _texts

    cpdef int note(self, Login login) except -1
    @cython.locals(count=int)
    cpdef int take(self, Login login, Keyring keyring) except -1
    cdef int _note_protocol(self, int protocol) except -1
    cdef int _note_client(self, u64 client) except -1
    cdef int _name_source(self, Login login) except -1
    cdef int _name_account(self, Login login, Keyring keyring) except -1
    cpdef int expect(self, Login login) noexcept
    @cython.locals(index=Py_ssize_t)
    cpdef list addresses(self)
