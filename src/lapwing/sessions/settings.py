"""The settings of the whole way from packet to finding, composed from the rooms it passes."""

import msgspec

from lapwing.detect import DetectSettings
from lapwing.flows import FlowSettings
from lapwing.logins import LoginSettings
from lapwing.logins.logs import LogSettings


class PipelineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One section per room; each section's own module says what its keys mean."""

    flows: FlowSettings = FlowSettings()
    logins: LoginSettings = LoginSettings()
    logs: LogSettings = LogSettings()
    detect: DetectSettings = DetectSettings()


class RunKeys(msgspec.Struct, frozen=True):
    """The secrets of one run: `flow_key` (16 bytes) seeds the flow table's hash, `tag_key` (32 bytes) tags credentials.

    Neither changes what is found: a run under other keys gives the same events but for the tags themselves.
    """

    flow_key: bytes
    tag_key: bytes
