"""How an interface is watched."""

from enum import IntEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

KIB = 1024
MIB = 1024 * KIB


class RingProfile(msgspec.Struct, frozen=True):
    """A ring of `block_count` blocks; the kernel hands a block over when it is full or `block_timeout_ms` old."""

    block_bytes: int
    block_count: int
    block_timeout_ms: int
    frame_bytes: int = 2048


PROFILES = {
    "default": RingProfile(MIB, 64, 60),  # 64 MiB: 0.3 s of a million 200-byte frames a second
    "high-throughput": RingProfile(4 * MIB, 64, 60),
    "low-latency": RingProfile(256 * KIB, 64, 1),
    "low-memory": RingProfile(256 * KIB, 16, 100),
    "jumbo": RingProfile(4 * MIB, 32, 60, 65_536),
}


class Fanout(IntEnum):
    """How the kernel divides packets among the sockets of one group, packet(7)."""

    HASH = 0  # by flow, both directions alike
    LOAD_BALANCE = 1
    CPU = 2
    ROLLOVER = 3
    RANDOM = 4
    QUEUE_MAPPING = 5


class LiveSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of live capture."""

    capture: Literal["auto", "ring", "libpcap"] = "auto"
    """The kernel's packet ring, or libpcap (extra `pcap`); `auto` takes the ring on Linux and libpcap elsewhere."""

    profile: Literal["default", "high-throughput", "low-latency", "low-memory", "jumbo"] = "default"
    """Size of the ring between kernel and reader."""

    snaplen_bytes: Annotated[int, Meta(ge=64, le=262_144)] = 262_144
    """Bytes of a packet that are kept; parsers need whole packets, flow records need 128."""

    promiscuous: bool = True
    """Also take packets addressed to others, as a mirror port delivers them."""

    poll_timeout_ms: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """How long to wait for packets before time is let pass without them: flows expire by the clock then."""

    timestamps: Literal["kernel", "hardware"] = "kernel"
    """Where packet times come from; `hardware` is refused by interfaces that have none."""

    fanout_group: Annotated[int, Meta(ge=0, le=65_535)] | None = None
    """Share the packets of the interface with the other readers of this group; None takes them all."""

    fanout_mode: Literal["hash", "load-balance", "cpu", "rollover", "random", "queue-mapping"] = "hash"
    """How a group shares; only `hash` and `cpu` keep the packets of one flow together."""

    dedup: Literal["off", "loopback", "bridge", "mirror"] = "off"
    """Leave out packets that come twice: within 1 ms, 5 ms, or 20 ms and under other addresses of the link."""

    namespace: str | None = None
    """Name of the network namespace (as `ip netns` knows it) that has the interface; None is the current one."""
