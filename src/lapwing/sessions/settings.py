"""The settings of the whole way from packet to finding, composed from the rooms it passes."""

from typing import Annotated

import msgspec
from msgspec import Meta

from lapwing.detect import DetectSettings
from lapwing.flows import FlowSettings
from lapwing.logins import LoginSettings
from lapwing.logins.logs import LogSettings

NS_PER_S = 1_000_000_000


class SessionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long a conversation may owe an answer. Times are those of packets, and the clock's in silence."""

    unanswered_after_s: Annotated[float, Meta(ge=1, le=86_400)] = 30.0
    """After how much silence of the server a login is told to be unanswered, and a handshake of TLS or QUIC to be
    unfinished. Servers hold back a refusal for seconds, a directory behind them included; clients give up after a
    minute or two."""

    @property
    def unanswered_after_ns(self) -> int:
        """The same in nanoseconds."""
        return int(self.unanswered_after_s * NS_PER_S)


class PipelineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One section per room; each section's own module says what its keys mean."""

    flows: FlowSettings = FlowSettings()
    sessions: SessionSettings = SessionSettings()
    logins: LoginSettings = LoginSettings()
    logs: LogSettings = LogSettings()
    detect: DetectSettings = DetectSettings()


class RunKeys(msgspec.Struct, frozen=True):
    """The secrets of one run: `flow_key` (16 bytes) seeds the flow table's hash, `tag_key` (32 bytes) tags credentials.

    Neither changes what is found: a run under other keys gives the same events but for the tags themselves.
    """

    flow_key: bytes
    tag_key: bytes
