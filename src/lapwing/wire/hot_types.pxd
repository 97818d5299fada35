# The row a packet becomes, for the compiled files. Order and width are those of `layout.PACKET_DTYPE`; Cython checks
# them at run time.

cdef struct PacketRow:
    long long ts_ns
    unsigned long long src_hi, src_lo, dst_hi, dst_lo
    unsigned int frame_off, captured, wire_bytes, ip_off, ip_bytes, payload_off, payload_captured, payload_bytes
    unsigned int tcp_seq, tcp_ack, tunnel_id, mpls_label
    unsigned short src_port, dst_port, tcp_window, vlan_id, outer_vlan_id, pppoe_session, link_type, tag
    unsigned char ip_version, protocol, tcp_flags, icmp_type, icmp_code, status, hop_limit, tunnel_depth
