"""What carried a packet: the headers of the tunnels around it. Asked once a side of a flow, so it is plain Python."""

from typing import Any, NamedTuple

import numpy as np

from lapwing.wire._select import decode
from lapwing.wire.layout import DECODE_COUNTERS, PACKET_DTYPE
from lapwing.wire.plain_tunnels import (
    GENEVE_PORT,
    GRE,
    GTP_PORT,
    TEREDO_PORT,
    TUNNEL_PROTOCOLS,
    VXLAN_PORTS,
    Payload,
    tunnel_id,
)

Endpoint = tuple[int, int, int]  # upper and lower half of the address, port


class CarrierHeader(NamedTuple):
    """One tunnel around a packet: its kind, its ends as this packet has them, its number, 0 for none."""

    kind: str  # gre (mirrored and bridged frames too), ip, vxlan, geneve, gtp-u, teredo, l2tp
    ip_version: int
    protocol: int
    source: Endpoint
    target: Endpoint
    number: int


def carriers_of(frame: bytes, link_type: int, depth: int) -> list[CarrierHeader]:
    """The `depth` tunnels around the packet in `frame`, the outermost first; fewer when they are not in the frame."""
    found: list[CarrierHeader] = []
    row = _row(frame, link_type, 0)
    for level in range(1, depth + 1):
        inner = _row(frame, link_type, level)
        if inner["tunnel_depth"] != level:
            break
        found.append(_header(frame, row))
        row = inner
    return found


def _row(frame: bytes, link_type: int, level: int) -> dict[str, Any]:
    """The packet that is `level` tunnels deep, or as deep as there are."""
    rows, counters = np.zeros(1, PACKET_DTYPE), np.zeros(DECODE_COUNTERS, np.int64)
    rows["captured"], rows["wire_bytes"], rows["link_type"] = len(frame), len(frame), link_type
    decode(frame, rows, 1, counters, tunnel_depth=level)
    return dict(zip(PACKET_DTYPE.names or (), rows[0].tolist(), strict=True))


def _header(frame: bytes, row: dict[str, Any]) -> CarrierHeader:
    ports = (row["src_port"], row["dst_port"])
    at, size = row["payload_off"], row["payload_captured"]
    payload = Payload(memoryview(frame), at, at + size, row["payload_bytes"])
    number = tunnel_id(payload, row["protocol"], *ports)
    source, target = (row["src_hi"], row["src_lo"], ports[0]), (row["dst_hi"], row["dst_lo"], ports[1])
    return CarrierHeader(kind_of(row["protocol"], *ports), row["ip_version"], row["protocol"], source, target, number)


def kind_of(protocol: int, src_port: int, dst_port: int) -> str:
    """The kind of tunnel that was found in such a packet."""
    if protocol in TUNNEL_PROTOCOLS:
        return "gre" if protocol == GRE else "ip"
    if dst_port in VXLAN_PORTS:
        return "vxlan"
    if dst_port == GENEVE_PORT:
        return "geneve"
    if GTP_PORT in (src_port, dst_port):
        return "gtp-u"
    return "teredo" if TEREDO_PORT in (src_port, dst_port) else "l2tp"
