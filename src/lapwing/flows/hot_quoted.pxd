from lapwing.flows.hot_tcp cimport TcpFlows
from lapwing.flows.hot_types cimport Action, Head, Key, Packet, Record, Side, Tail, Wait, i64, u8, u16, u32, u64

cdef class QuotedFlows(TcpFlows):
    cdef Packet[::1] quote  # one row: the packet that an ICMP error is about
    cdef bint quoted_two_way
    cdef short[:, ::1] pairs

    cdef int _read_quoted(self, const Packet *packet) except -1 nogil
    cdef u32 _be32(self, Py_ssize_t at) except? 0xFFFFFFFF nogil
