from lapwing.flows.hot_types cimport Key, u8, u32, u64

cdef u32 _words[16]  # of SHA-1

cdef tuple names_of(
    int version, int protocol, u64 client_hi, u64 client_lo, int client_port, u64 server_hi, u64 server_lo, int server_port
)
cdef object transport_of(int protocol)
cdef str address_of(int version, u64 high, u64 low)
cdef str community_of(
    int version, int protocol, u64 client_hi, u64 client_lo, int client_port, u64 server_hi, u64 server_lo, int server_port
)

cdef Py_ssize_t _octets(Py_ssize_t at, u32 address) except -1
cdef Py_ssize_t _groups(u64 high, u64 low) except -1
cdef int _big_endian(Py_ssize_t at, u64 value, int size) except -1
cdef int _hash(Py_ssize_t length) except -1
cdef u32 _turned(u32 word, int places) except? 0
cdef str _in_base64()
