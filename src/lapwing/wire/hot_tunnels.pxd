from lapwing.wire.hot_types cimport PacketRow

cdef long long inner_of_ip(const unsigned char[::1] pkt, PacketRow *row, Py_ssize_t at, Py_ssize_t last, long long announced) except? -1 nogil
cdef long long inner_of_udp(const unsigned char[::1] pkt, PacketRow *row, Py_ssize_t at, Py_ssize_t last, long long announced) except? -1 nogil
cdef long long tunnel_id(const unsigned char[::1] pkt, int protocol, int src_port, int dst_port, Py_ssize_t at) except? -1 nogil
