"""Transport facts."""

from lapwing.events.base import FlowBound
from lapwing.events.enums import CloseReason, RoleEvidence


class FlowOpened(FlowBound, frozen=True, gc=False, tag="flow.opened"):
    """First packet of a flow. `tag` says what else its key holds, e.g. `vlan=7 tunnel=4711`; mostly nothing."""

    role_evidence: RoleEvidence
    tag: str = ""


class FlowEstablished(FlowBound, frozen=True, gc=False, tag="flow.established"):
    """The TCP handshake completed. `rtt_ns` is SYN to final ACK, None when part of it was not seen."""

    rtt_ns: int | None = None


class FlowClosed(FlowBound, frozen=True, gc=False, tag="flow.closed"):
    """A flow record: statistics per side since the flow (or, after an active timeout, the last record) began.

    `wire_bytes` are frame bytes on the wire, `ip_bytes` start at the IP header, `payload_bytes` are bytes above the
    transport header, repeats included; `stream_bytes` is the TCP sequence space covered (what an endpoint would have
    read, holes included) and equals `payload_bytes` for other transports; `missed_bytes` is the part of it never seen.
    `conn_state` and `history` use Zeek's letters. `tcp_flags` is the union of flag octets.
    `tag` is as in `flow.opened`.
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
