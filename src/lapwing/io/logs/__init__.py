"""Log files: read to their end, also packed ones, or followed as they grow. Bytes become lines here, nothing else."""

from lapwing.io.logs.file import LineBatch, LogFile, open_log
from lapwing.io.logs.follow import FollowedLog, Position
from lapwing.io.logs.positions import PositionFile
from lapwing.io.logs.split import LineSplitter

__all__ = ["FollowedLog", "LineBatch", "LineSplitter", "LogFile", "Position", "PositionFile", "open_log"]
