cimport cython
from lapwing.detect.login cimport i64, u64
from lapwing.detect.rows cimport Row

cdef int _PLACES, _ATTACKERS

cdef class Home(Row):
    cdef public i64 good_ns, failed_ns
    cdef public double tries
    cdef public int failures

    cpdef int start(self, i64 at_ns) except -1

@cython.final
cdef class Places:
    cdef u64 _sources[8]
    cdef u64 _networks[8]
    cdef u64 _clients[8]
    cdef int _source_count, _network_count
    cdef public int client_count

    cpdef int settle(self, u64 source, u64 network, u64 client) noexcept
    cpdef bint has_source(self, u64 source) noexcept
    cpdef bint has_network(self, u64 network) noexcept
    cpdef bint has_client(self, u64 client) noexcept

@cython.final
cdef class Wrongs:
    cdef u64 _secrets[8]
    cdef u64 _clients[8]
    cdef u64 _client_sources[8]
    cdef u64 _his[20]
    cdef u64 _los[20]
    cdef int _secret_count, _client_count
    cdef public int attacker_count

    cpdef int begin(self) noexcept
    cpdef bint add_secret(self, u64 secret) noexcept
    @cython.locals(at=int)
    cpdef int add_client(self, u64 client, u64 source) noexcept
    cpdef int add_attacker(self, u64 hi, u64 lo) noexcept
    cpdef int excuse(self, u64 hi, u64 lo) noexcept
    cpdef bint failed_elsewhere(self, u64 client, u64 source) noexcept
    cpdef tuple attackers(self)

cdef int place_of(u64* items, int count, u64 item) noexcept
cdef int remember(u64* items, int count, u64 item) noexcept
