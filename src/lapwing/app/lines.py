"""Lines of what may hold none."""

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO


def bounded_lines(stream: BinaryIO, most_bytes: int) -> Iterator[bytes]:
    """The lines of a stream, longer ones in pieces of `most_bytes`: a file without any must not fill the memory."""
    return iter(partial(stream.readline, most_bytes), b"")
