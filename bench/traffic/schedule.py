"""Lays flows out in time: which script each plays, between whom, and when each of its packets is seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.traffic.frames import Bytes, Flows, Ints, Packets
from bench.traffic.script import Script

Rng = np.random.Generator
LONGEST_PAUSE_US = 12e6  # inside a flow; below any idle timeout: flow counts compare
EPHEMERAL = (1_024, 64_512)  # first client port and how many there are
SHARE_IPV6, SHARE_TAGGED, SHARE_DOUBLE_TAGGED = 0.25, 0.30, 0.02
REORDERED, REPEATED = 0.003, 0.004  # of the TCP segments with payload
LATEST_REPEAT_US = 30_000  # after the segment it repeats


@dataclass
class Plan:
    """`count` flows that each play one of `scripts`; one of n packets is chosen with weight n ** -`skew`."""

    scripts: Sequence[Script]
    count: int
    servers: int
    skew: float = 0.0


def choose(plans: Sequence[Plan], rng: Rng) -> tuple[list[Script], Ints, Ints]:
    """All scripts, and for every flow its script's number and its plan's, in random order."""
    scripts: list[Script] = []
    picks, owners = [], []
    for number, plan in enumerate(plans):
        weights = np.array([len(script) for script in plan.scripts], dtype=np.float64) ** -plan.skew
        picked = rng.choice(len(plan.scripts), size=plan.count, p=weights / weights.sum())
        picks.append(picked + len(scripts))
        owners.append(np.full(plan.count, number))
        scripts.extend(plan.scripts)
    pick, owner = np.concatenate(picks), np.concatenate(owners)
    order = rng.permutation(len(pick))
    return scripts, pick[order], owner[order]


def endpoints(
    plans: Sequence[Plan], scripts: Sequence[Script], pick: Ints, owner: Ints, *, clients: int, rng: Rng
) -> Flows:
    """Addresses of the benchmark range and of 2001:db8::/32; no two flows share their 5-tuple."""
    count = len(pick)
    version = np.where(rng.random(count) < SHARE_IPV6, 6, 4)
    tags = (rng.random(count) < SHARE_TAGGED).astype(np.int64) + (rng.random(count) < SHARE_DOUBLE_TAGGED)
    client = np.minimum(rng.zipf(1.2, count) * 37 + rng.integers(0, clients, count), 2**40) % clients
    order = np.argsort(client, kind="stable")
    runs = np.concatenate(([0], np.flatnonzero(np.diff(client[order])) + 1))
    nth = np.empty(count, np.int64)
    nth[order] = np.arange(count) - np.repeat(runs, np.diff(np.append(runs, count)))
    servers = np.array([plan.servers for plan in plans])[owner]
    server = (rng.random(count) ** 2.5 * servers).astype(np.int64) + owner * 4_096
    return Flows(
        version=version,
        tags=tags,
        protocol=np.array([script.protocol for script in scripts])[pick],
        client=_addresses(version, client, 18, 1),
        server=_addresses(version, server, 19, 2),
        client_port=EPHEMERAL[0] + (nth * 7 + client * 131) % EPHEMERAL[1],
        server_port=np.array([script.server_port for script in scripts])[pick],
        first_seq=rng.integers(0, 2**32, (count, 2)),
    )


def _addresses(version: Ints, host: Ints, second_octet: int, subnet: int) -> Bytes:
    octets = np.zeros((len(host), 16), np.uint8)
    four, six = version == 4, version == 6
    octets[four, 0], octets[four, 1] = 198, second_octet
    octets[four, 2], octets[four, 3] = host[four] >> 8 & 255, host[four] & 255
    octets[six, :4] = (0x20, 0x01, 0x0D, 0xB8)
    octets[six, 5] = subnet
    octets[six, 13], octets[six, 14], octets[six, 15] = (
        host[six] >> 16 & 255,
        host[six] >> 8 & 255,
        host[six] & 255,
    )
    return octets


@dataclass
class _Rows:
    """Every packet, flow after flow: which flow it is of, and its row among all scripts' rows."""

    flow: Ints
    row: Ints
    first: Ints  # each flow's first packet
    count: Ints  # each flow's packets

    def packets(self, scripts: Sequence[Script], ts_us: Ints) -> Packets:
        columns = {name: _column(scripts, name)[self.row] for name in ("side", "flags", "payload", "seq", "ack")}
        return Packets(flow=self.flow, ts_us=ts_us, **columns)


def _column(scripts: Sequence[Script], name: str) -> Ints:
    return np.concatenate([np.array(getattr(script, name), dtype=np.int64) for script in scripts])


def _unroll(scripts: Sequence[Script], pick: Ints) -> _Rows:
    sizes = np.array([len(script) for script in scripts])
    first_row = np.cumsum(sizes) - sizes
    count = sizes[pick]
    first = np.cumsum(count) - count
    flow = np.repeat(np.arange(len(pick)), count)
    return _Rows(flow, np.arange(len(flow)) - np.repeat(first - first_row[pick], count), first, count)


def lay_out(scripts: Sequence[Script], pick: Ints, *, duration_s: float, rng: Rng) -> Packets:
    """Every flow at its own pace from its own start; what falls outside the capture is not seen."""
    rows = _unroll(scripts, pick)
    gaps = np.concatenate([np.array(script.gap_us) for script in scripts])[rows.row]
    pace = np.exp(rng.normal(0.0, 0.7, len(pick)))[rows.flow]
    since = np.cumsum(np.minimum(gaps * pace * rng.uniform(0.7, 1.3, len(gaps)), LONGEST_PAUSE_US))
    since -= np.repeat(since[rows.first], rows.count)
    length = since[rows.first + rows.count - 1]
    whole = duration_s * 1e6
    start = rng.uniform(-0.02 * whole, np.maximum(whole - 0.8 * length, 0.02 * whole))
    ts_us = (since + start[rows.flow]).astype(np.int64)
    return rows.packets(scripts, ts_us).take(np.flatnonzero((ts_us >= 0) & (ts_us < whole)))


def spread(scripts: Sequence[Script], pick: Ints, *, duration_s: float, rng: Rng) -> Packets:
    """All flows start in the first fifth, their packets fall anywhere after: nearly all live at once."""
    rows = _unroll(scripts, pick)
    whole = duration_s * 1e6
    start = rng.uniform(0.0, 0.2 * whole, len(pick))[rows.flow]
    ts_us = start + rng.uniform(0.0, 1.0, len(start)) * (whole - start)
    ts_us[rows.first] = start[rows.first]
    order = np.lexsort((ts_us, rows.flow))  # a flow's packets keep the script's order, only their times are sorted
    return rows.packets(scripts, ts_us[order].astype(np.int64))


def disturb(packets: Packets, lengths: Ints, protocol: Ints, rng: Rng) -> Packets:
    """Some segments arrive after their successor, some twice."""
    data = (protocol[packets.flow] == 6) & (lengths[packets.payload] > 0)
    bulk = np.zeros(len(data), bool)  # the fourth row on is of the same flow: it does not end in between
    bulk[:-4] = data[:-4] & (packets.flow[:-4] == packets.flow[4:])
    chance = rng.random(len(data))
    late = np.flatnonzero(bulk & (chance < REORDERED))
    packets.ts_us[late] = packets.ts_us[late + 2] + 5
    twice = np.flatnonzero(bulk & (chance > 1.0 - REPEATED))
    copies = packets.take(twice)
    copies.ts_us += np.minimum(packets.ts_us[twice + 3] - copies.ts_us, LATEST_REPEAT_US)
    both = {name: np.concatenate((column, vars(copies)[name])) for name, column in vars(packets).items()}
    return Packets(**both)
