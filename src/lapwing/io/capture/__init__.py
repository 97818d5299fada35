"""Capture files and pipes in, batches of decoded packets out. Constant memory, whatever the size."""

from lapwing.io.capture.ahead import LANES, ReadAhead
from lapwing.io.capture.paths import expand_paths
from lapwing.io.capture.source import CaptureSource, PacketBatch, Progress, open_capture

__all__ = ["LANES", "CaptureSource", "PacketBatch", "Progress", "ReadAhead", "expand_paths", "open_capture"]
