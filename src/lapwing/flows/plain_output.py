"""What one call of the plain flow table hands out."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lapwing.flows.layout import ACTION_DTYPE, ANOMALY_KINDS, KEY_DTYPE, RECORD_DTYPE, ActionKind, DataSource
from lapwing.flows.plain_features import FlowFeatures, rows_of
from lapwing.flows.plain_state import Flow
from lapwing.flows.rules import TCP, conn_state

CALL_PACKETS = 4096  # a call that wrote this many rows of any kind ends


class Output:
    """Rows of this call, and counts of anomalies for good."""

    def __init__(self, *, payloads: bool, early_packets: int = 0) -> None:
        self.payloads = payloads
        self.early_packets = early_packets
        self.anomaly_counts: Counter[str] = Counter()
        self.clear()

    def clear(self) -> None:
        """Forget the rows of the last call."""
        self.actions: list[tuple[Any, ...]] = []
        self.keys: list[tuple[Any, ...]] = []
        self.records: list[tuple[Any, ...]] = []
        self.features: list[FlowFeatures] = []
        self.arena = bytearray()

    @property
    def full(self) -> bool:
        """Whether the call should end before it looks at another packet."""
        return max(len(self.actions), len(self.keys), len(self.records)) >= CALL_PACKETS

    def act(
        self, kind: ActionKind, flow: Flow, now_ns: int, side: int = 0, *, aux: int = 0, offset: int = 0,
        length: int = 0, source: DataSource = DataSource.CHUNK,
    ) -> None:  # fmt: skip
        """Add an action row."""
        if not self.payloads:
            return
        endpoint = flow.sides[side]
        joined = flow.protocol == TCP and kind is ActionKind.SEGMENT and not endpoint.syn_base
        self.actions.append((now_ns, aux, flow.slot, offset, length, kind, side, source, joined))

    def anomaly(self, index: int, flow: Flow, now_ns: int, side: int = 0, count: int = 1) -> None:
        """Count an anomaly; report the first of its kind on this flow."""
        self.anomaly_counts[ANOMALY_KINDS[index]] += 1
        if index not in flow.anomalies:
            flow.anomalies.add(index)
            self.act(ActionKind.ANOMALY, flow, now_ns, side, aux=index, length=count)

    def opened(self, flow: Flow, now_ns: int) -> None:
        """Add a new flow's key."""
        self.act(ActionKind.OPENED, flow, now_ns, aux=len(self.keys))
        self.keys.append((*_key(flow), *_carried(flow)))

    def closed(self, flow: Flow, reason: int, now_ns: int) -> None:
        """Add a flow's record."""
        client, server = flow.sides
        silent = not (client.next_offset or server.next_offset)
        state = conn_state(flow.protocol, client.state, server.state, silent=silent)
        self.act(ActionKind.CLOSED, flow, now_ns, aux=len(self.records), length=reason)
        counters: list[int] = []
        for name in ("packet_count", "wire_bytes", "ip_bytes", "payload_bytes"):
            counters += [getattr(client, name), getattr(server, name)]
        for side in (client, server):
            counters.append(side.next_offset - side.cut_offset if flow.protocol == TCP else side.payload_bytes)
        for name in ("missed_bytes", "retransmit_count", "out_of_order_count", "tcp_flags"):
            counters += [getattr(client, name), getattr(server, name)]
        last_ts_ns = max(flow.last_ts_ns, flow.first_ts_ns)
        head = (*_key(flow), reason, state, flow.record_index, last_ts_ns, flow.history.encode())
        self.records.append((*head, *counters, *_carried(flow)))
        if flow.features is not None:
            self.features.append(flow.features)

    @property
    def action_rows(self) -> NDArray[np.void]:
        """The actions as rows."""
        return np.array(self.actions, dtype=ACTION_DTYPE)

    @property
    def key_rows(self) -> NDArray[np.void]:
        """The keys as rows."""
        return np.array(self.keys, dtype=KEY_DTYPE)

    @property
    def feature_rows(self) -> NDArray[np.void]:
        """The features of the records as rows."""
        return rows_of(self.features, self.early_packets)

    @property
    def record_rows(self) -> NDArray[np.void]:
        """The records as rows."""
        return np.array(self.records, dtype=RECORD_DTYPE)


def _key(flow: Flow) -> tuple[int, ...]:
    (client_hi, client_lo, client_port), (server_hi, server_lo, server_port) = flow.client, flow.server
    addresses = (client_hi, client_lo, server_hi, server_lo, client_port, server_port)
    rest = (flow.vlan_id, flow.tag, flow.ip_version, flow.protocol, flow.role_evidence)
    return (flow.flow_id, flow.first_ts_ns, *addresses, *rest)


def _carried(flow: Flow) -> tuple[int, ...]:
    return (flow.outer_vlan_id, *flow.carriers)
