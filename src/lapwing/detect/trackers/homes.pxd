cimport cython
cimport lapwing.detect.slabs as slabs
from lapwing.detect.login cimport Login, i64, u64
from lapwing.detect.rows cimport Row

cdef int _PLACES, _ATTACKERS
cdef u64 MASK, _SPREAD

cdef class Home(Row):
    cdef public i64 good_ns, failed_ns
    cdef public double tries
    cdef public int failures

    cpdef int start(self, i64 at_ns) except -1

@cython.final
cdef class Places:
    cdef int _source_count, _network_count
    cdef public int client_count
    cdef u64 _sources[8]
    cdef u64 _networks[8]
    cdef u64 _clients[8]

    cpdef int settle(self, u64 source, u64 network, u64 client) noexcept
    cpdef bint has_source(self, u64 source) noexcept
    cpdef bint has_network(self, u64 network) noexcept
    cpdef bint has_client(self, u64 client) noexcept

@cython.final
cdef class Wrongs:
    cdef int _secret_count, _client_count  # what follows, up to the marks, every failure looks through: four lines
    cdef public int attacker_count
    cdef u64 _secrets[8]
    cdef u64 _clients[16]
    cdef unsigned char _marks[24]
    cdef u64 _attackers[40]

    cpdef int begin(self) noexcept
    cdef int start(self, Login login) noexcept
    @cython.locals(new=bint)
    cdef bint take(self, Login login) noexcept
    @cython.locals(count=int, at=int)
    cpdef bint add_secret(self, u64 secret) noexcept
    @cython.locals(at=int, end=int)
    cpdef int add_client(self, u64 client, u64 source) noexcept
    @cython.locals(mark=int)
    cpdef int add_attacker(self, u64 hi, u64 lo) noexcept
    cpdef int excuse(self, u64 hi, u64 lo) noexcept
    cpdef bint failed_elsewhere(self, u64 client, u64 source) noexcept
    cpdef tuple attackers(self)

cdef int mark_of(u64 hi, u64 lo) noexcept
cdef int place_of(u64* items, int count, u64 item) noexcept
cdef int remember(u64* items, int count, u64 item) noexcept
cdef int put_last(u64* items, int count, int at, u64 item) noexcept
