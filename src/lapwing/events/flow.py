"""Transport facts."""

from lapwing.events.base import Facts, FlowBound
from lapwing.events.enums import CloseReason, RoleEvidence


class Carrier(Facts, frozen=True, gc=False):
    """A tunnel that packets came in, named as a flow is; client is who sent the first packet seen of it.

    `kind` is `gre` (with mirrored frames and bridged Ethernet), `ip` (IP in IP, 6in4, 4in6), `vxlan`, `geneve`,
    `gtp-u`, `teredo` or `l2tp`; ports are 0 where the transport has none. `number` tells it from others between the
    same ends (VNI, TEID, GRE key, L2TP tunnel and session), 0 where there is none.
    """

    kind: str
    community_id: str
    client_ip: str
    client_port: int
    server_ip: str
    server_port: int
    number: int = 0

    def __str__(self) -> str:
        """`vxlan 192.0.2.1 > 192.0.2.2 #42`: without ports, so that it can be grouped by."""
        number = f" #{self.number}" if self.number else ""
        return f"{self.kind} {self.client_ip} > {self.server_ip}{number}"


class FlowOpened(FlowBound, frozen=True, gc=False, tag="flow.opened"):
    """First packet of a flow. `tag` says what else its key holds, e.g. `vlan=7 tunnel=4711`; mostly nothing.

    `carriers` are the tunnels that packet came in, the outermost first.
    """

    role_evidence: RoleEvidence
    tag: str = ""
    carriers: tuple[Carrier, ...] = ()


class FlowEstablished(FlowBound, frozen=True, gc=False, tag="flow.established"):
    """The TCP handshake completed. `rtt_ns` is SYN to final ACK, None when part of it was not seen."""

    rtt_ns: int | None = None


class FlowFeatures(Facts, frozen=True, gc=False):
    """What the packets of a record looked like; only where the settings ask for it (`flows.features`).

    Sizes are frame bytes on the wire, gaps the time since the packet before of the same side, or of either (`both`);
    `stddev` is that of a sample. `rtt` is how long the handshake took on the way to that side, `response_ns` how long
    the server's first payload came after what the client said last, `entropy_bits` are bits per byte of the first 64
    bytes of payload. What was not seen is 0. `early_*` are the first packets one by one; side 0 is the client.
    """

    client_packet_min_bytes: int
    client_packet_max_bytes: int
    client_packet_mean_bytes: float
    client_packet_stddev_bytes: float
    client_gap_min_ns: int
    client_gap_max_ns: int
    client_gap_mean_ns: float
    client_gap_stddev_ns: float
    server_packet_min_bytes: int
    server_packet_max_bytes: int
    server_packet_mean_bytes: float
    server_packet_stddev_bytes: float
    server_gap_min_ns: int
    server_gap_max_ns: int
    server_gap_mean_ns: float
    server_gap_stddev_ns: float
    both_packet_min_bytes: int
    both_packet_max_bytes: int
    both_packet_mean_bytes: float
    both_packet_stddev_bytes: float
    both_gap_min_ns: int
    both_gap_max_ns: int
    both_gap_mean_ns: float
    both_gap_stddev_ns: float
    client_fin_count: int
    client_syn_count: int
    client_rst_count: int
    client_psh_count: int
    client_ack_count: int
    client_urg_count: int
    client_ece_count: int
    client_cwr_count: int
    server_fin_count: int
    server_syn_count: int
    server_rst_count: int
    server_psh_count: int
    server_ack_count: int
    server_urg_count: int
    server_ece_count: int
    server_cwr_count: int
    client_rtt_ns: int
    server_rtt_ns: int
    response_ns: int
    client_entropy_bits: float
    server_entropy_bits: float
    early_bytes: tuple[int, ...] = ()
    early_gaps_ns: tuple[int, ...] = ()
    early_sides: tuple[int, ...] = ()


class FlowClosed(FlowBound, frozen=True, gc=False, tag="flow.closed"):
    """A flow record: statistics per side since the flow (or, after an active timeout, the last record) began.

    `wire_bytes` are frame bytes on the wire, `ip_bytes` start at the IP header, `payload_bytes` are bytes above the
    transport header, repeats included; `stream_bytes` is the TCP sequence space covered (what an endpoint would have
    read, holes included) and equals `payload_bytes` for other transports; `missed_bytes` is the part of it never seen.
    `conn_state` and `history` use Zeek's letters. `tcp_flags` is the union of flag octets.
    `tag` is as in `flow.opened`. `vlan_id` is that of the tag nearest to IP, `outer_vlan_id` of the one before it.
    `client_carriers` and `server_carriers` are the tunnels that packets of each side came in, the outermost first.
    """

    reason: CloseReason
    role_evidence: RoleEvidence
    first_ts_ns: int
    last_ts_ns: int
    ip_protocol: int
    vlan_id: int
    conn_state: str
    history: str
    client_packet_count: int
    server_packet_count: int
    client_wire_bytes: int
    server_wire_bytes: int
    client_ip_bytes: int
    server_ip_bytes: int
    client_payload_bytes: int
    server_payload_bytes: int
    client_stream_bytes: int
    server_stream_bytes: int
    client_missed_bytes: int
    server_missed_bytes: int
    client_retransmit_count: int
    server_retransmit_count: int
    client_out_of_order_count: int
    server_out_of_order_count: int
    client_tcp_flags: int
    server_tcp_flags: int
    record_index: int = 0
    tag: str = ""
    features: FlowFeatures | None = None
    outer_vlan_id: int = 0
    client_carriers: tuple[Carrier, ...] = ()
    server_carriers: tuple[Carrier, ...] = ()
