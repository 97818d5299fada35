"""Rows to events, in bulk: one `tolist` per batch, never a field of a row at a time."""

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lapwing.events import Carrier, CloseReason, FlowClosed, FlowFeatures, FlowKey, FlowOpened, RoleEvidence, Transport
from lapwing.flows.layout import CLOSE_REASONS, CONN_STATES, RECORD_DTYPE, ROLE_EVIDENCE
from lapwing.flows.rules import ICMP, ICMP6, TCP, UDP
from lapwing.flows.text import SCTP, address_text, community_id

_RECORD_NAMES = list(RECORD_DTYPE.names or ())
Words = Callable[[int], str]
Chains = Callable[[int], tuple[Carrier, ...]]

_TRANSPORTS = {
    TCP: Transport.TCP,
    UDP: Transport.UDP,
    ICMP: Transport.ICMP,
    ICMP6: Transport.ICMP6,
    SCTP: Transport.SCTP,
}
_ROLES = tuple(RoleEvidence(name) for name in ROLE_EVIDENCE)
_REASONS = tuple(CloseReason(name) for name in CLOSE_REASONS)


def _names(row: Sequence[Any]) -> tuple[str, Transport, str, int, str, int]:
    """The fields that name a flow, from the front of a key or record row."""
    _, _, client_hi, client_lo, server_hi, server_lo, client_port, server_port, _, _, version, protocol, *_ = row
    return (
        community_id(version, protocol, (client_hi, client_lo, client_port), (server_hi, server_lo, server_port)),
        _TRANSPORTS.get(protocol, Transport.OTHER),
        address_text(version, client_hi, client_lo),
        client_port,
        address_text(version, server_hi, server_lo),
        server_port,
    )


def flow_keys(rows: NDArray[np.void]) -> list[FlowKey]:
    """Keys of new flows, from rows of KEY_DTYPE."""
    return [FlowKey(row[0], *_names(row)) for row in rows.tolist()]


def opened_events(rows: NDArray[np.void], words: Words | None = None, chains: Chains | None = None) -> list[FlowOpened]:
    """Events of new flows, from rows of KEY_DTYPE. `words` say what a tag stands for, `chains` what a carrier does."""
    return [
        FlowOpened(
            ts_ns=row[1], flow_id=key.flow_id, community_id=key.community_id, transport=key.transport,
            client_ip=key.client_ip, client_port=key.client_port, server_ip=key.server_ip,
            server_port=key.server_port, role_evidence=_ROLES[row[12]], tag=words(row[9]) if words else "",
            carriers=chains(row[14] or row[15]) if chains else (),
        )
        for row, key in zip(rows.tolist(), flow_keys(rows), strict=True)
    ]  # fmt: skip


def closed_events(
    rows: NDArray[np.void],
    ts_ns: Sequence[int] | None = None,
    words: Words | None = None,
    chains: Chains | None = None,
) -> list[FlowClosed]:
    """Flow records, from rows of RECORD_DTYPE, or of `full_dtype` with features.

    `ts_ns` are the times of the CLOSED actions, row by row; without them a record bears its last packet's time.
    `words` say what a tag stands for, `chains` what the number of a carrier does.
    """
    features = _features(rows) if len(rows.dtype.names or ()) > len(_RECORD_NAMES) else repeat(None)
    listed = rows[_RECORD_NAMES].tolist() if rows.dtype != RECORD_DTYPE else rows.tolist()
    times = [row[16] for row in listed] if ts_ns is None else ts_ns
    return [
        _closed_event(row, time, words(row[9]) if words else "", shown, chains)
        for row, time, shown in zip(listed, times, features, strict=False)
    ]


def _features(rows: NDArray[np.void]) -> list[FlowFeatures]:
    """The columns behind those of the record."""
    names = list(rows.dtype.names or ())[len(_RECORD_NAMES) :]
    if "early_count" not in names:
        return [FlowFeatures(*row) for row in rows[names].tolist()]
    found = []
    for row in rows[names].tolist():
        *scalars, sizes, gaps, sides, count = row
        early = (tuple(column[:count].tolist()) for column in (sizes, gaps, sides))
        found.append(FlowFeatures(*scalars, *early))
    return found


def _closed_event(
    row: Sequence[Any], ts_ns: int, tag: str, features: FlowFeatures | None, chains: Chains | None
) -> FlowClosed:
    community, transport, client_ip, client_port, server_ip, server_port = _names(row)
    (
        flow_id, first_ts_ns, _, _, _, _, _, _, vlan_id, _, _, protocol, role, reason, state, record_index, last_ts_ns,
        history, client_packets, server_packets, client_wire, server_wire, client_ip_bytes, server_ip_bytes,
        client_payload, server_payload, client_stream, server_stream, client_missed, server_missed,
        client_retransmits, server_retransmits, client_disordered, server_disordered, client_flags, server_flags,
        outer_vlan_id, client_carrier, server_carrier,
    ) = row  # fmt: skip
    return FlowClosed(
        ts_ns=ts_ns,
        flow_id=flow_id,
        community_id=community,
        transport=transport,
        client_ip=client_ip,
        client_port=client_port,
        server_ip=server_ip,
        server_port=server_port,
        reason=_REASONS[reason],
        role_evidence=_ROLES[role],
        first_ts_ns=first_ts_ns,
        last_ts_ns=last_ts_ns,
        ip_protocol=protocol,
        vlan_id=vlan_id,
        conn_state=CONN_STATES[state],
        history=history.decode("ascii"),
        client_packet_count=client_packets,
        server_packet_count=server_packets,
        client_wire_bytes=client_wire,
        server_wire_bytes=server_wire,
        client_ip_bytes=client_ip_bytes,
        server_ip_bytes=server_ip_bytes,
        client_payload_bytes=client_payload,
        server_payload_bytes=server_payload,
        client_stream_bytes=client_stream,
        server_stream_bytes=server_stream,
        client_missed_bytes=client_missed,
        server_missed_bytes=server_missed,
        client_retransmit_count=client_retransmits,
        server_retransmit_count=server_retransmits,
        client_out_of_order_count=client_disordered,
        server_out_of_order_count=server_disordered,
        client_tcp_flags=client_flags,
        server_tcp_flags=server_flags,
        record_index=record_index,
        tag=tag,
        features=features,
        outer_vlan_id=outer_vlan_id,
        client_carriers=chains(client_carrier) if chains else (),
        server_carriers=chains(server_carrier) if chains else (),
    )
