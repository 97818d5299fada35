"""Capture files, pipes and interfaces in, batches of decoded packets out. Constant memory, whatever the size."""

from lapwing.io.capture.ahead import LANES, ReadAhead, may_wait, processors, worth_reading_ahead
from lapwing.io.capture.dedup import PRESETS as DEDUP_PRESETS
from lapwing.io.capture.dedup import Dedup, DedupSettings
from lapwing.io.capture.frames import Frames, FrameSource, OpenFrames
from lapwing.io.capture.interface import InterfaceSource
from lapwing.io.capture.live import open_live
from lapwing.io.capture.live_settings import PROFILES, LiveSettings
from lapwing.io.capture.merge import MergedSource
from lapwing.io.capture.paths import expand_paths
from lapwing.io.capture.privileges import drop_privileges
from lapwing.io.capture.recorder import Recorder, RecordSettings
from lapwing.io.capture.source import CaptureSource, PacketBatch, Progress, open_capture
from lapwing.io.capture.unpack import head_of, stdin_head

__all__ = [
    "DEDUP_PRESETS",
    "LANES",
    "PROFILES",
    "CaptureSource",
    "Dedup",
    "DedupSettings",
    "FrameSource",
    "Frames",
    "InterfaceSource",
    "LiveSettings",
    "MergedSource",
    "OpenFrames",
    "PacketBatch",
    "Progress",
    "ReadAhead",
    "RecordSettings",
    "Recorder",
    "drop_privileges",
    "expand_paths",
    "head_of",
    "may_wait",
    "open_capture",
    "open_live",
    "processors",
    "stdin_head",
    "worth_reading_ahead",
]
