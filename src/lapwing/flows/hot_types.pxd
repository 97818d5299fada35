# Types and numbers of the compiled flow table.
# The order and width of fields must match `layout` and the dtypes in `hot_rows.py`; Cython checks them at run time.

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define lapwing_prefetch(address) __builtin_prefetch((address), 1, 3)
    #else
    #define lapwing_prefetch(address) ((void)(address))
    #endif
    """
    void lapwing_prefetch(const void *address) nogil

ctypedef unsigned char u8
ctypedef unsigned short u16
ctypedef unsigned int u32
ctypedef unsigned long long u64
ctypedef long long i64

cdef struct Packet:
    i64 ts_ns
    u64 src_hi, src_lo, dst_hi, dst_lo
    u32 frame_off, captured, wire_bytes, ip_off, ip_bytes, payload_off, payload_captured, payload_bytes
    u32 tcp_seq, tcp_ack, tunnel_id, mpls_label
    u16 src_port, dst_port, tcp_window, vlan_id, outer_vlan_id, pppoe_session, link_type, tag
    u8 ip_version, protocol, tcp_flags, icmp_type, icmp_code, status, hop_limit, tunnel_depth

cdef struct Action:
    i64 ts_ns, aux
    u32 slot, offset, length
    u8 kind, side, source, flags

cdef struct Key:
    i64 flow_id, first_ts_ns
    u64 client_hi, client_lo, server_hi, server_lo
    u16 client_port, server_port, vlan_id, tag
    u8 ip_version, ip_protocol, role_evidence
    u16 outer_vlan_id
    u32 client_carrier, server_carrier

cdef struct Record:
    i64 flow_id, first_ts_ns
    u64 client_hi, client_lo, server_hi, server_lo
    u16 client_port, server_port, vlan_id, tag
    u8 ip_version, ip_protocol, role_evidence, close_reason, conn_state
    u32 record_index
    i64 last_ts_ns
    u64 history_0, history_1, history_2
    u64 client_packet_count, server_packet_count, client_wire_bytes, server_wire_bytes
    u64 client_ip_bytes, server_ip_bytes, client_payload_bytes, server_payload_bytes
    u64 client_stream_bytes, server_stream_bytes, client_missed_bytes, server_missed_bytes
    u64 client_retransmit_count, server_retransmit_count, client_out_of_order_count, server_out_of_order_count
    u64 client_tcp_flags, server_tcp_flags
    u16 outer_vlan_id
    u32 client_carrier, server_carrier

# A flow is one Head, two Sides and one Tail. A packet in order touches the Head and one Side, a cache line each.
cdef struct Head:
    u64 client_hi, client_lo, server_hi, server_lo
    i64 flow_id, last_ts_ns
    u16 client_port, server_port, flags, bucket, tag
    u8 ip_version, protocol, client_state, server_state, client_letters, server_letters

cdef struct Side:
    u64 wire_bytes, ip_bytes, payload_bytes, missed_bytes
    i64 next_offset
    u32 base, ack, packet_count, retransmit_count, out_of_order_count
    u8 tcp_flags, flags, zero_window_count, gap_count

cdef struct Tail:
    i64 first_ts_ns, client_cut, server_cut
    u64 history_0, history_1, history_2
    u32 timer_next, timer_prev, client_wait, server_wait, client_holes, server_holes, hash
    u32 client_carrier, server_carrier
    u16 record_index, vlan_id, outer_vlan_id
    u8 history_length, role_evidence

cdef struct Measure:
    double size_mean, size_m2, gap_mean, gap_m2
    i64 last_ns, gap_min, gap_max
    u32 count, size_min, size_max

cdef struct Wait:
    i64 delivered, up_to, due_ns
    u32 slot, next, prev, runs, pages
    u8 side, wait_class

cdef enum:  # the numbers of `rules`
    PAGE = 2048
    OPENING = 64
    MAX_RUNS = 1024
    TRACKED_HOLES = 8
    MAX_HOLE_LISTS = 65536
    WHEEL_TICKS = 4096
    CLOCK_TOLERANCE_NS = 1000000000
    RST_BEHIND = 65536
    HISTORY_LETTERS = 24
    WELL_KNOWN_PORTS = 1024
    MAX_LETTER_COUNT = 255

cdef enum:  # protocols and TCP flags
    TCP = 6
    UDP = 17
    ICMP = 1
    ICMP6 = 58
    FIN = 1
    SYN = 2
    RST = 4
    ACK = 16

cdef enum:  # endpoint states
    INACTIVE, PARTIAL, SYN_SENT, SYN_ACK_SENT, ESTABLISHED, CLOSED, RESET

cdef enum:  # indexes into the tuples of `layout`
    ROLE_SYN = 0, ROLE_SYN_ACK, ROLE_PORT, ROLE_FIRST

cdef enum:
    BY_FIN = 0, BY_RST, BY_IDLE, BY_ACTIVE, BY_EVICTION, BY_SUPERSEDE, BY_FLUSH, BY_FORCE

cdef enum:
    OTH = 0, S0, S1, SF, REJ, S2, S3, RSTO, RSTR, RSTOS0, RSTRH, SH, SHR

cdef enum:
    OVERLAP_CONFLICT = 0, REASSEMBLY_OVERFLOW, OUT_OF_WINDOW, EVICTED, CLOCK_REGRESSION

cdef enum:  # ActionKind
    DO_OPENED = 0, DO_ESTABLISHED, DO_SEGMENT, DO_GAP, DO_SIDE_CLOSED, DO_DATAGRAM, DO_ANOMALY, DO_CLOSED, DO_ICMP_ERROR

cdef enum:  # DataSource
    CHUNK = 0, ARENA

cdef enum:  # classes of deadline
    CONFIRMED = 0, ONE_SIDED, UNCONFIRMED

cdef enum:  # Head.flags
    LIVE = 1
    IS_ESTABLISHED = 2
    IGNORED = 4
    EXTRA = 8  # the client has holes or waiting bytes; the server's bit is twice that
    FIRST_ANOMALY = 32

cdef enum:  # Side.flags
    HAS_BASE = 1
    SYN_BASE = 2
    HAS_ACK = 4
    HAS_FIN = 8
    FIN_TOLD = 16

cdef enum:  # Head.client_letters and server_letters
    LETTER_S = 1
    LETTER_H = 2
    LETTER_F = 4
    LETTER_R = 8
    LETTER_D = 16
    LETTER_A = 32
    LETTER_Q = 64
    LETTER_I = 128

cdef enum:  # `counts`; below CREATED: rows by status, from ENDED on: flows by reason
    CREATED = 16
    CUTS = 17
    FAULTS = 18
    ENDED = 19

cdef enum:  # bounds of one call's output
    CALL_ROWS = 4096  # a call that wrote this many rows of a kind ends
    CALL_ARENA = 1048576  # or this many bytes
    UNIT_ACTIONS = 12288  # rows one packet can add: three sides flushed, two rows a run


cdef inline int close_reason(const Head *head) noexcept nogil:
    """Why the flow would end now if nothing else comes."""
    if head.protocol != TCP:
        return BY_IDLE
    if head.client_state == RESET or head.server_state == RESET:
        return BY_RST
    return BY_FIN if head.client_state == CLOSED and head.server_state == CLOSED else BY_IDLE
