"""The peer, the network or the input broke the rules."""

from lapwing.events.base import Event
from lapwing.events.enums import Severity, Side


class AnomalySeen(Event, frozen=True, gc=False, kw_only=True, tag="anomaly.seen"):
    """One kind of irregularity, coalesced: `count` says how many it stands for.

    `kind` is `<layer>.<what>`, e.g. `tcp.overlap_conflict`, `wire.ip_truncated`, `capture.tail_truncated`.
    `source` and `offset` name the file and the byte where damaged input was met.
    """

    ts_ns: int
    kind: str
    severity: Severity
    detail: str = ""
    count: int = 1
    flow_id: int | None = None
    community_id: str | None = None
    side: Side | None = None
    client_ip: str | None = None
    server_ip: str | None = None
    client_port: int | None = None
    server_port: int | None = None
    source: str | None = None
    offset: int | None = None
