cimport cython
cimport lapwing.detect.natively as natively
cimport lapwing.detect.slabs as slabs
from lapwing.detect.distinct cimport Distinct
from lapwing.detect.login cimport Keyring, Login, i64, u64

cdef int _SEQS, _LAST_SEQS, _SAMPLES, _PROTOCOLS, _WAITING, _PARTS
cdef unsigned int _FIRST_ROOM

# In the order of use: what every login looks at is, up to the two latest of `_seqs`, the first two lines of the
# processor's cache (`slabs.py`), and of `_parts` one more.
@cython.final
cdef class Episode:
    cdef public i64 last_ns
    cdef public int attempts, failures, successes, unseen, inferred
    cdef short _latest_protocol
    cdef unsigned char _waiting, _seq_count, _clients_full, _places_full, _named_full
    cdef public double quiet_until
    cdef public i64 touched_ns
    cdef u64 _latest_client, _latest_source, _latest_account
    cdef Distinct _accounts
    cdef i64 _seqs[5]
    cdef Distinct _sources, _secrets
    cdef public i64 first_ns
    cdef public u64 first_hi, first_lo
    cdef u64 _parts[48]  # six lines
    cdef public int owned
    cdef public list places, named, protocols, clients
    cdef list _texts

    cpdef int note(self, Login login) except -1
    @cython.locals(count=int, secret=u64, source=u64, account=u64)
    cpdef int take(self, Login login, Keyring keyring) except -1
    cdef int _note_protocol(self, int protocol) except -1
    cdef int _note_client(self, u64 client) except -1
    cdef int _note_source(self, Login login) except -1
    cdef int _note_account(self, Login login, Keyring keyring) except -1
    @cython.locals(at=Py_ssize_t, end=Py_ssize_t)
    cdef int _count_parts(self) except -1
    cdef int expect(self, Login login) noexcept
    cpdef bint knows_source(self, u64 source) except -1
    @cython.locals(index=Py_ssize_t)
    cpdef list addresses(self)
