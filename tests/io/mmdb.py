"""Writes small databases in MaxMind's format (specification 2.0): IPv4 networks, 24-bit records."""

import struct
from ipaddress import ip_network
from typing import Any

MARKER = b"\xab\xcd\xefMaxMind.com"


def encode(value: Any) -> bytes:
    """One value of the data section."""
    if isinstance(value, str):
        data = value.encode()
        return _head(2, len(data)) + data
    if isinstance(value, float):
        return _head(3, 8) + struct.pack(">d", value)
    if isinstance(value, int):
        data = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return _head(6, len(data)) + data
    if isinstance(value, list):
        return bytes([len(value), 4]) + b"".join(map(encode, value))
    return _head(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def _head(kind: int, size: int) -> bytes:
    assert size < 285
    return bytes([kind << 5 | size]) if size < 29 else bytes([kind << 5 | 29, size - 29])


def database(networks: dict[str, Any]) -> bytes:
    """A database that has these records for these IPv4 networks."""
    nodes: list[list[int | None]] = [[None, None]]
    data, leaves = b"", []
    for text, record in networks.items():
        network = ip_network(text)
        at, offset = 0, len(data)
        data += encode(record)
        for depth in range(network.prefixlen):
            bit = int(network.network_address) >> (31 - depth) & 1
            if depth == network.prefixlen - 1:
                leaves.append((at, bit, offset))
            else:
                if nodes[at][bit] is None:
                    nodes.append([None, None])
                    nodes[at][bit] = len(nodes) - 1
                at = nodes[at][bit] or 0
    count = len(nodes)
    for at, bit, offset in leaves:
        nodes[at][bit] = count + 16 + offset
    tree = b"".join((count if side is None else side).to_bytes(3, "big") for node in nodes for side in node)
    meta = {
        "node_count": count, "record_size": 24, "ip_version": 4, "database_type": "Test", "build_epoch": 1,
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "description": {}, "languages": [],
    }  # fmt: skip
    return tree + bytes(16) + data + MARKER + encode(meta)
