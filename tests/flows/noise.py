"""Random packet rows that keep hitting the same few flows, for laws that must hold on anything."""

from random import Random
from typing import Any

from tests.flows.rows import ACK, CLIENT, FIN, PSH, RST, SERVER, SYN, Trace

FLAG_CHOICES = [SYN, SYN | ACK, ACK, ACK, ACK, PSH | ACK, PSH | ACK, PSH | ACK, FIN | ACK, FIN, RST, RST | ACK]
FLAG_CHOICES += [0, SYN | FIN, FIN | RST | ACK, 0xFF]
STEPS_NS = [0, 0, 1000, 1_000_000, 5_000_000, 30_000_000, 900_000_000, 5_100_000_000, 61_000_000_000]
STEPS_NS += [400_000_000_000, 20_000_000_000_000, -1000, -3_000_000_000]


def random_settings(random: Random) -> dict[str, Any]:
    """Settings with small bounds, so that they bite."""
    return {
        "max_flows": random.choice([1, 3, 1000, 1000, 1000]),
        "ooo_buffer_bytes": random.choice([4096, 8192, 65_536]),
        "reassembly_memcap_bytes": 65_536,
        "overlap_policy": random.choice(["first", "last"]),
        "active_timeout_s": random.choice([2.0, 1800.0]),
        "sweep_interval_s": random.choice([0.01, 1.0, 7.0]),
        "ack_grace_s": random.choice([0.001, 0.01]),
        **random.choice([{}, {"features": True, "early_packets": random.choice([0, 3])}]),
        "max_ahead_bytes": random.choice([65_536, 1024**2]),
    }


def random_trace(random: Random, count: int, *, hosts: int = 3, calm: bool = False) -> Trace:
    """`count` packets between a few hosts; `calm`: time hardly moves, so flows live long."""
    trace = Trace()
    starts: dict[tuple[int, int, int], int] = {}
    for _ in range(count):
        step = random.choice(STEPS_NS[:4] if calm or random.random() < 0.9 else STEPS_NS)
        trace.now_ns = max(0, trace.now_ns + step)
        kind = random.random()
        if kind < 0.03:
            trace.add(at=trace.now_ns, status=random.randrange(1, 10))
        elif kind < 0.8:
            _tcp(random, trace, starts, hosts)
        else:
            _other(random, trace, hosts)
    return trace


def _tcp(random: Random, trace: Trace, starts: dict[tuple[int, int, int], int], hosts: int) -> None:
    side, host, port = random.randrange(2), random.randrange(hosts), random.randrange(4000, 4002)
    key = (side, host, port)
    if key not in starts or random.random() < 0.01:
        starts[key] = random.choice([0, 0xFFFFF000, random.randrange(1 << 32)])
    peer = starts.get((1 - side, host, port), 0)
    reach = random.choice([0, 1, 10, 100, 3000, 10_000, 70_000, 2_000_000])
    seq = starts[key] + random.randint(0, reach)
    if random.random() < 0.02:
        seq = random.randrange(1 << 32)
    size = random.choice([0, 0, 1, 1, 5, 300, 1460, 5000, 40_000])
    if random.random() < 0.4:
        starts[key] += size
    flags = random.choice(FLAG_CHOICES if random.random() < 0.3 else [ACK, PSH | ACK])
    payload = random.randbytes(size) if random.random() < 0.2 else bytes([97 + size % 26]) * size
    more: dict[str, Any] = {"tcp_window": random.choice([0, 1000, 1000])}
    if random.random() < 0.05:
        more["captured"] = random.randint(0, size)
    ack = peer + random.choice([0, 1, 100, 5000])
    more["tag"] = random.choice([0] * 50 + [1])
    trace.tcp(side, flags, seq, ack, payload, port=port, at=trace.now_ns, **_hosts(side, host), **more)


def _hosts(side: int, host: int) -> dict[str, int]:
    source, target = (CLIENT + host, SERVER) if side == 0 else (SERVER, CLIENT + host)
    if host != 2:
        return {"src_lo": source, "dst_lo": target}
    return {"src_lo": source, "dst_lo": target, "src_hi": 1 << 60, "dst_hi": 1 << 60, "ip_version": 6}


def _other(random: Random, trace: Trace, hosts: int) -> None:
    side, host = random.randrange(2), random.randrange(hosts)
    protocol = random.choice([17, 17, 1, 58, 132, 47])
    more: dict[str, Any] = _hosts(side, host) | {"protocol": protocol, "vlan_id": random.randrange(2)}
    if protocol in (1, 58):
        more |= {"src_port": 0, "dst_port": 0, "icmp_type": random.choice([0, 8, 3, 11, 128, 129, 135, 136, 1])}
        more["icmp_code"] = random.randrange(2)
    trace.tcp(side, 0, 0, 0, bytes(random.choice([0, 1, 40])), port=random.choice([53, 4000]), at=trace.now_ns, **more)
