"""Packets to flows to ordered bytes: flow table, TCP state, reassembly, timeouts, statistics.

`FlowTable` takes packet rows (`lapwing.wire.layout`) and fills rows of its own (`lapwing.flows.layout`).
It opens nothing, reads no clock and knows no protocol above TCP and UDP. Use:

    row = 0
    while row < count:
        row = table.process(buffer, packets, row, count)
        ...  # table.actions, table.keys, table.records, table.arena; valid until the next call
    while table.finish():
        ...
    ...  # and once more after the call that returned False

`hash_key` is 16 secret random bytes; results do not depend on it, resistance to chosen collisions does.
`COMPILED` says which of the two equal implementations is in use.
"""

from lapwing.flows._select import COMPILED, ActionWalk, FlowTable, closed_events, opened_events
from lapwing.flows.columns import TRANSPORTS, Coded, addresses, community_ids, transport_codes
from lapwing.flows.extractor import Extractor, extractor_for
from lapwing.flows.features import SCOPES, features_dtype, full_dtype, records_of
from lapwing.flows.fragments import Fragments
from lapwing.flows.layout import (
    ANOMALY_KINDS,
    CLOSE_REASONS,
    CONN_STATES,
    KEY_DTYPE,
    RECORD_DTYPE,
    ROLE_EVIDENCE,
    ActionKind,
)
from lapwing.flows.objects import flow_keys
from lapwing.flows.rules import MAX_CLOCK_NS
from lapwing.flows.settings import FlowSettings, IdleRule
from lapwing.flows.text import community_id

__all__ = [
    "ANOMALY_KINDS",
    "CLOSE_REASONS",
    "COMPILED",
    "CONN_STATES",
    "KEY_DTYPE",
    "MAX_CLOCK_NS",
    "RECORD_DTYPE",
    "ROLE_EVIDENCE",
    "SCOPES",
    "TRANSPORTS",
    "ActionKind",
    "ActionWalk",
    "Coded",
    "Extractor",
    "FlowSettings",
    "FlowTable",
    "Fragments",
    "IdleRule",
    "addresses",
    "closed_events",
    "community_id",
    "community_ids",
    "extractor_for",
    "features_dtype",
    "flow_keys",
    "full_dtype",
    "opened_events",
    "records_of",
    "transport_codes",
]
