"""Where a body ends: by length, by chunks, or by the end of the connection."""

import re

from lapwing.protocols.contract import ContentReader

MAX_BODY_BYTES = 64 * 1024  # kept per message: every login form and every answer to one fits; the rest is counted
MAX_CHUNK_LINE_BYTES = 4096  # chunk size with extensions, or one trailer field; longer is no chunked coding

_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;|\Z)")


class ChunkError(Exception):
    """A line is no part of chunked coding: it starts with `held` of earlier bytes and goes on at `pos`."""

    def __init__(self, held: bytes, pos: int) -> None:
        super().__init__("no chunked coding")
        self.held = held
        self.pos = pos


class Body:
    """Keeps the first `limit` bytes of a body and counts all of it; `full` says that no more need be looked at.

    All of it goes to `content`, too, where somebody reads the files in bodies.
    """

    __slots__ = ("complete", "content", "full", "kept", "limit", "size")

    def __init__(self, limit: int = MAX_BODY_BYTES, content: ContentReader | None = None) -> None:
        self.limit = limit
        self.content = content
        self.full = limit == 0 and content is None
        self.kept = bytearray()
        self.size = 0
        self.complete = True

    def add(self, data: bytes, start: int, end: int) -> None:
        """Take `data[start:end]`."""
        self.size += end - start
        if self.content is not None:
            self.content.add(data[start:end])
        room = self.limit - len(self.kept)
        if room > 0 and self.complete:  # after a hole the kept part ends: what follows would be out of place
            self.kept += data[start : min(end, start + room)]
            self.full = end - start >= room and self.content is None

    def add_all(self, data: bytes, size: int) -> None:
        """Take all of `data`, which has `size` bytes."""
        self.size += size
        kept = self.kept
        if len(kept) + size < self.limit and self.complete and self.content is None:
            kept += data
        else:
            self.size -= size
            self.add(data, 0, size)

    def lose(self, missing_bytes: int) -> None:
        """Count bytes that will never come."""
        self.size += missing_bytes
        self.complete = False
        if self.content is not None:
            self.content.lose(missing_bytes)


class Chunks:
    """Takes the chunked coding (RFC 9112 section 7.1) off a body."""

    __slots__ = ("_ended", "_in_trailer", "_line", "_wants_line_end", "left")

    def __init__(self) -> None:
        self.left = 0  # bytes of the current chunk still to come
        self._line = b""
        self._wants_line_end = False
        self._in_trailer = False
        self._ended = False

    def take(self, data: bytes, pos: int, body: Body) -> tuple[int, bool]:
        """Move payload from `data[pos:]` into `body`; return where it stopped and whether the body ended there.

        Raises ChunkError.
        """
        end = len(data)
        while pos < end:
            if self.left:
                step = min(self.left, end - pos)
                body.add(data, pos, pos + step)
                self.left -= step
                pos += step
                self._wants_line_end = self.left == 0
                continue
            line_end = data.find(b"\n", pos)
            stop = end if line_end < 0 else line_end
            if len(self._line) + stop - pos > MAX_CHUNK_LINE_BYTES:
                raise ChunkError(self._line, pos)
            line = self._line + data[pos:stop]
            if line_end < 0:
                self._line = line
                return end, False
            if not self._fits(line.rstrip(b"\r")):
                raise ChunkError(self._line, pos)
            self._line = b""
            pos = line_end + 1
            if self._ended:
                return pos, True
        return pos, False

    def _fits(self, line: bytes) -> bool:
        """Take a line; False when it is none of the coding."""
        if self._in_trailer:
            self._ended = not line
            return True
        if self._wants_line_end:
            self._wants_line_end = False
            return not line
        size = _CHUNK_SIZE.match(line)
        if size is None:
            return False
        self.left = int(size[1], 16)
        self._in_trailer = self.left == 0
        return True

    def skip(self, missing_bytes: int, body: Body) -> bool:
        """Count a hole that lies within one chunk; False when it reaches further."""
        if missing_bytes > self.left:
            return False
        body.lose(missing_bytes)
        self.left -= missing_bytes
        self._wants_line_end = self.left == 0
        return True
