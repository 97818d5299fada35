"""Writes a capture several times over to standard output, each time later: a long capture without a large file."""

import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

GROUP_BYTES = 4 << 20  # shifted and written at a time
FILE_HEADER_BYTES, RECORD_HEADER_BYTES = 24, 16


def groups(path: Path) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Runs of whole records: the bytes of the run, and where in it each record begins."""
    with path.open("rb") as file:
        file.seek(FILE_HEADER_BYTES)
        left = b""
        while block := file.read(GROUP_BYTES):
            data = left + block
            at, starts = 0, []
            while at + RECORD_HEADER_BYTES <= len(data):
                end = at + RECORD_HEADER_BYTES + struct.unpack_from("<I", data, at + 8)[0]
                if end > len(data):
                    break
                starts.append(at)
                at = end
            left = data[at:]
            yield at, np.array(starts, dtype=np.int64)


def shifted(data: bytes, starts: npt.NDArray[np.int64], seconds: int) -> bytes:
    """The same records, later by whole seconds."""
    octets = np.frombuffer(data, dtype=np.uint8).copy()
    places = starts[:, None] + np.arange(4)
    later = np.ascontiguousarray(octets[places]).view("<u4") + np.uint32(seconds)
    octets[places] = later.view(np.uint8)
    return octets.tobytes()


def repeat(path: Path, times: int, seconds_apart: int) -> None:
    plan = list(groups(path)) if times > 1 else []
    out = sys.stdout.buffer
    with path.open("rb") as file:
        out.write(file.read(FILE_HEADER_BYTES))
        while block := file.read(GROUP_BYTES):
            out.write(block)
        for turn in range(1, times):
            file.seek(FILE_HEADER_BYTES)
            for length, starts in plan:
                out.write(shifted(file.read(length), starts, turn * seconds_apart))
    out.flush()


if __name__ == "__main__":
    try:
        repeat(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    except BrokenPipeError:  # the reader has ended; what it missed is its own affair
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
