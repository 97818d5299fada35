"""What a caller may name a capture or a log by."""

from os import PathLike

Paths = str | PathLike[str]
