"""All packets' headers at once: pcap record, Ethernet, VLAN tags, IP, TCP or UDP or ICMP, valid checksums."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.traffic.script import Pool

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

RECORD, ETHERNET, TAG = 16, 14, 4  # bytes
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
EPOCH_S = 1_767_348_000  # 2026-01-02T10:00:00Z, where every capture starts


@dataclass
class Flows:
    """One row per flow. Addresses are 16 bytes; of IPv4 the first four count."""

    version: Ints
    tags: Ints
    protocol: Ints
    client: Bytes
    server: Bytes
    client_port: Ints
    server_port: Ints
    first_seq: Ints  # two columns: the client's and the server's


@dataclass
class Packets:
    """One row per packet; `ts_us` counts from the start of the capture."""

    flow: Ints
    side: Ints
    flags: Ints
    payload: Ints
    seq: Ints
    ack: Ints
    ts_us: Ints

    def take(self, rows: Ints) -> "Packets":
        return Packets(**{name: column[rows] for name, column in vars(self).items()})


@dataclass
class Headers:
    """All headers in one buffer, and where each packet's begins and ends."""

    data: Bytes
    start: Ints
    end: Ints


def build_headers(packets: Packets, flows: Flows, pool: Pool, *, tcp_options: bool) -> Headers:
    count = len(packets.flow)
    start, end = np.zeros(count, np.int64), np.zeros(count, np.int64)
    group = flows.version * 1_000 + flows.tags * 100 + flows.protocol
    packet_group = group[packets.flow]
    blocks: list[Bytes] = []
    offset = 0
    lengths, sums = pool.lengths(), pool.sums()
    for key in np.unique(packet_group):
        rows = np.flatnonzero(packet_group == key)
        layout = _Layout(int(key) // 1_000, int(key) // 100 % 10, int(key) % 100, tcp_options)
        part = packets.take(rows)
        block = _fill(layout, part, flows, lengths[part.payload], sums[part.payload])
        start[rows] = offset + np.arange(len(rows)) * layout.size
        end[rows] = start[rows] + layout.size
        offset += block.size
        blocks.append(block.reshape(-1))
    return Headers(np.concatenate(blocks), start, end)


@dataclass(frozen=True)
class _Layout:
    version: int
    tags: int
    protocol: int
    tcp_options: bool

    @property
    def network(self) -> int:
        return RECORD + ETHERNET + TAG * self.tags

    @property
    def transport(self) -> int:
        return self.network + (20 if self.version == 4 else 40)

    @property
    def transport_bytes(self) -> int:
        return (32 if self.tcp_options else 20) if self.protocol == TCP else 8

    @property
    def size(self) -> int:
        return self.transport + self.transport_bytes


def _put(block: Bytes, at: int, value: npt.ArrayLike, width: int, order: str = ">") -> None:
    """Writes one integer column at a byte offset."""
    column = np.broadcast_to(np.asarray(value, dtype=np.int64), (len(block),))
    block[:, at : at + width] = column.astype(f"{order}u{width}").view(np.uint8).reshape(-1, width)


def _sum_words(block: Bytes, begin: int, stop: int) -> Ints:
    words: npt.NDArray[np.uint16] = np.ascontiguousarray(block[:, begin:stop]).view(">u2")
    total: Ints = words.sum(axis=1, dtype=np.int64)
    return total


def _fold(total: Ints) -> Ints:
    for _ in range(3):
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _fill(layout: _Layout, packets: Packets, flows: Flows, length: Ints, payload_sum: Ints) -> Bytes:
    block = np.zeros((len(packets.flow), layout.size), np.uint8)
    frame_bytes = layout.size - RECORD + length
    _put(block, 0, EPOCH_S + packets.ts_us // 1_000_000, 4, "<")
    _put(block, 4, packets.ts_us % 1_000_000, 4, "<")
    _put(block, 8, frame_bytes, 4, "<")
    _put(block, 12, frame_bytes, 4, "<")
    from_client = packets.side == 0
    _put(block, RECORD, np.where(from_client, 0x0200_5E00_5301, 0x0200_5E00_5302) >> 16, 4)
    _put(block, RECORD + 4, np.where(from_client, 0x5302, 0x5301), 2)
    _put(block, RECORD + 6, 0x0200_5E00, 4)
    _put(block, RECORD + 10, np.where(from_client, 0x5301, 0x5302), 2)
    for tag in range(layout.tags):
        _put(block, RECORD + 12 + TAG * tag, 0x8100, 2)  # also the outer one: not every peer knows 0x88A8
        _put(block, RECORD + 14 + TAG * tag, 100 + packets.flow % 16, 2)
    _put(block, layout.network - 2, 0x0800 if layout.version == 4 else 0x86DD, 2)
    segment = layout.transport_bytes + length
    sender = np.where(from_client[:, None], flows.client[packets.flow], flows.server[packets.flow])
    target = np.where(from_client[:, None], flows.server[packets.flow], flows.client[packets.flow])
    pseudo = _network(block, layout, segment, sender, target)
    check_at = _transport(block, layout, packets, flows, segment)
    total = _sum_words(block, layout.transport, layout.size) + payload_sum + pseudo
    _put(block, check_at, np.where(_fold(total) == 0, 0xFFFF, _fold(total)), 2)
    return block


def _network(block: Bytes, layout: _Layout, segment: Ints, sender: Bytes, target: Bytes) -> Ints:
    """Writes the IP header; returns the sum of the pseudo header (RFC 1071, RFC 8200 section 8.1)."""
    at = layout.network
    if layout.version == 4:
        _put(block, at, 0x4500, 2)
        _put(block, at + 2, 20 + segment, 2)
        _put(block, at + 4, np.arange(len(block)) & 0xFFFF, 2)
        _put(block, at + 6, 0x4000, 2)
        _put(block, at + 8, 64 << 8 | layout.protocol, 2)
        block[:, at + 12 : at + 16], block[:, at + 16 : at + 20] = sender[:, :4], target[:, :4]
        _put(block, at + 10, _fold(_sum_words(block, at, at + 20)), 2)
        if layout.protocol == ICMP:
            return np.zeros(len(block), np.int64)
        return _sum_words(block, at + 12, at + 20) + layout.protocol + segment
    protocol = ICMP6 if layout.protocol == ICMP else layout.protocol
    _put(block, at, 0x60000000, 4)
    _put(block, at + 4, segment, 2)
    _put(block, at + 6, protocol << 8 | 64, 2)
    block[:, at + 8 : at + 24], block[:, at + 24 : at + 40] = sender, target
    return _sum_words(block, at + 8, at + 40) + protocol + segment


def _transport(block: Bytes, layout: _Layout, packets: Packets, flows: Flows, segment: Ints) -> int:
    """Writes the transport header; returns where its checksum belongs."""
    at = layout.transport
    from_client = packets.side == 0
    client_port, server_port = flows.client_port[packets.flow], flows.server_port[packets.flow]
    if layout.protocol == ICMP:
        kind = packets.flags if layout.version == 4 else np.where(packets.flags == 8, 128, 129)
        _put(block, at, kind << 8, 2)
        _put(block, at + 4, client_port, 2)
        _put(block, at + 6, packets.seq & 0xFFFF, 2)
        return at + 2
    _put(block, at, np.where(from_client, client_port, server_port), 2)
    _put(block, at + 2, np.where(from_client, server_port, client_port), 2)
    if layout.protocol == UDP:
        _put(block, at + 4, segment, 2)
        return at + 6
    first = flows.first_seq[packets.flow]
    own, other = (
        np.where(from_client, first[:, 0], first[:, 1]),
        np.where(from_client, first[:, 1], first[:, 0]),
    )
    _put(block, at + 4, (own + packets.seq) & 0xFFFFFFFF, 4)
    _put(block, at + 8, np.where(packets.flags & 16, (other + packets.ack) & 0xFFFFFFFF, 0), 4)
    _put(block, at + 12, (layout.transport_bytes // 4) << 12 | packets.flags, 2)
    _put(block, at + 14, 0xFAF0, 2)
    if layout.tcp_options:  # two NOPs and the time stamps of RFC 7323
        _put(block, at + 20, 0x0101080A, 4)
        _put(block, at + 24, packets.ts_us // 1_000 + 1, 4)
        _put(block, at + 28, np.where(packets.flags & 16, packets.ts_us // 1_000, 0), 4)
    return at + 16
