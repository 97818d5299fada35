cimport cython
cimport lapwing.detect.natively as natively
cimport lapwing.detect.slabs as slabs
from lapwing.detect.distinct cimport Distinct
from lapwing.detect.login cimport Keyring, Login, i64, u64

cdef int _SEQS, _LAST_SEQS, _SAMPLES, _PROTOCOLS

# In the order of use: what every login reads or writes is, up to the two latest of `_seqs`, the first two lines of the
# processor's cache (`slabs.py`).
@cython.final
cdef class Episode:
    cdef public Distinct secrets, sources, accounts
    cdef public i64 last_ns
    cdef u64 _latest_client, _latest_source, _latest_account
    cdef public int attempts, failures, successes, unseen, inferred
    cdef int _latest_protocol
    cdef unsigned char _seq_count, _clients_full, _places_full, _named_full
    cdef public int owned
    cdef i64 _seqs[5]
    cdef public list places, named, protocols, clients
    cdef public i64 first_ns
    cdef public u64 first_hi, first_lo
    cdef list _texts

    cpdef int note(self, Login login) except -1
    @cython.locals(count=int)
    cpdef int take(self, Login login, Keyring keyring) except -1
    cdef int _note_protocol(self, int protocol) except -1
    cdef int _note_client(self, u64 client) except -1
    cdef int _note_source(self, Login login) except -1
    cdef int _note_account(self, Login login, Keyring keyring) except -1
    cdef int expect(self, Login login) noexcept
    @cython.locals(index=Py_ssize_t)
    cpdef list addresses(self)
