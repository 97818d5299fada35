"""A source of one's own: a text file with a time in seconds and a frame in hex on each line."""

from collections.abc import Iterator
from pathlib import Path

from lapwing.io.capture import Frames


def open_hex(argument: str) -> Frames:
    """`example-hex://frames.txt`."""
    return Frames(_packets(Path(argument)))


def _packets(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open(encoding="ascii") as lines:
        for line in lines:
            seconds, frame = line.split()
            yield round(float(seconds) * 1_000_000_000), bytes.fromhex(frame)
