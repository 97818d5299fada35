"""How long flows live, and how much may be kept for them."""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lapwing.events import FlowKey, SettingsError
from lapwing.flows.extractor import KeyBase, KeyPart
from lapwing.wire import MAX_TUNNEL_DEPTH

MAX_IDLE_S = 86_400  # a longer silence than a day ends every flow
_Seconds = Annotated[float, Meta(gt=0, le=MAX_IDLE_S)]

NS_PER_S = 1_000_000_000


class FlowSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the flow table. Times are packet time: the clock is the running maximum of packet timestamps.

    Bytes in order leave the table at once without a copy, so only bytes that wait for a hole are ever held.
    """

    idle_timeout_tcp_s: _Seconds = 300.0
    """Silence that ends a TCP flow which did not close. Above the keep-alive of most login services."""

    idle_timeout_udp_s: _Seconds = 60.0
    """Silence that ends a UDP flow: there is no close to wait for."""

    idle_timeout_other_s: _Seconds = 30.0
    """Silence that ends an ICMP, SCTP or other flow."""

    active_timeout_s: _Seconds = 1800.0
    """A flow that never pauses yields a record at least this often, so that long flows are not invisible for hours."""

    close_linger_s: _Seconds = 5.0
    """A closed or reset flow absorbs trailing packets this long, so that a late ACK does not open a new flow."""

    sweep_interval_s: Annotated[float, Meta(ge=0.01, le=60)] = 1.0
    """Granularity of expiry. A silent flow ends at most this much after its timeout."""

    max_flows: Annotated[int, Meta(ge=1, le=16_000_000)] = 1_000_000
    """Live flows, about 300 bytes each. At the limit the least recently seen flow is evicted, with its record."""

    reassembly_memcap_bytes: Annotated[int, Meta(ge=64 * 1024, le=8 * 1024**3)] = 64 * 1024**2
    """Out-of-order bytes held for all flows together. At the limit the newest hole gives way and becomes a gap."""

    ooo_buffer_bytes: Annotated[int, Meta(ge=4096, le=16 * 1024**2)] = 256 * 1024
    """How far beyond a hole bytes are held, per side. Further ahead the oldest hole becomes a gap."""

    ooo_deadline_s: _Seconds = 1.0
    """How long a hole is waited for when only one direction is seen. Four times this while the other side is seen and
    has not acknowledged it, because then the sender will repeat it."""

    ack_grace_s: _Seconds = 0.01
    """How long a hole is waited for once the other side acknowledged it: the bytes arrived there and passed us by."""

    max_ahead_bytes: Annotated[int, Meta(ge=65_536, le=1024**3)] = 1024**2
    """A segment, FIN or RST further than this beyond what was sent or acknowledged does not belong to the stream."""

    overlap_policy: Literal["first", "last"] = "first"
    """Which bytes win when waiting segments overlap with different content."""

    key: KeyBase = "five-tuple"
    """What packets of one flow share: addresses and ports; `ip-pair`, two addresses whatever the protocol; `mac-pair`,
    two stations on Ethernet. Sessions are read of the first only."""

    key_also: tuple[KeyPart, ...] = ()
    """What they share besides: `source` (number of the input), `vlan` (both tags of QinQ), `mpls` (label at the bottom
    of the stack), `pppoe` (session), `tunnel` (VNI, TEID, GRE key, L2TP session), `flow-label` (IPv6), `direction`
    (each way is a flow of its own, so that sessions are read of neither). Needed where customers use the same
    addresses in several such networks. Labels, TEIDs, L2TP sessions and keys of PPTP mostly differ between the two
    directions: with them each is a flow of its own too."""

    features: bool = False
    """Whether records have statistics of packet sizes, gaps and flags, round trips, answer times and entropy: about
    450 bytes a flow, and about twice the time."""

    early_packets: Annotated[int, Meta(ge=0, le=255)] = 0
    """First packets of a flow to keep one by one (size, gap, side), 13 bytes each and flow; with `features` only."""

    tunnel_depth: Annotated[int, Meta(ge=0, le=MAX_TUNNEL_DEPTH)] = MAX_TUNNEL_DEPTH
    """Tunnels looked into, one inside the other. At 0 flows are those of the carriers."""

    def validate(self, path: str = "flows") -> None:
        """Refuse values that do not fit together. Raises SettingsError naming the key and what would be right.

        Ranges of single values are checked where settings are read; here they are checked again for settings made
        in code.
        """
        try:
            msgspec.convert(msgspec.to_builtins(self), FlowSettings)
        except msgspec.ValidationError as error:
            raise SettingsError(f"{path}: {error}") from error
        if self.ooo_buffer_bytes > self.reassembly_memcap_bytes:
            raise SettingsError(
                f"{path}.ooo_buffer_bytes: {self.ooo_buffer_bytes} is more than"
                f" {path}.reassembly_memcap_bytes ({self.reassembly_memcap_bytes}); at most that much can be held"
            )
        if self.early_packets and not self.features:
            raise SettingsError(f"{path}.early_packets: {self.early_packets} need {path}.features to be true")
        if self.ack_grace_s > self.ooo_deadline_s:
            raise SettingsError(
                f"{path}.ack_grace_s: {self.ack_grace_s} is more than {path}.ooo_deadline_s ({self.ooo_deadline_s});"
                " an acknowledged hole is given up sooner than others"
            )


IdleRule = Callable[[FlowKey], float | None]
"""Seconds of silence that end a flow, asked once as it opens; None for what the settings say."""


def own_timeout_ns(rule: IdleRule, key: FlowKey) -> int | None:
    """What `rule` says of a flow, in nanoseconds: 0 when it says nothing, None when it raises or makes no sense."""
    try:
        seconds = rule(key)
        if seconds is None:
            return 0
        return to_ns(seconds) if 0 < seconds <= MAX_IDLE_S else None
    except Exception:
        return None


def to_ns(seconds: float) -> int:
    """Seconds to whole nanoseconds."""
    return round(seconds * NS_PER_S)
