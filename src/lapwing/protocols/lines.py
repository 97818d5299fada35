"""Bytes to lines, bounded, for the text protocols (FTP, SMTP, the SSH identification)."""

MAX_LINE_BYTES = 8 * 1024  # per line; RFC 5321 wants 512, FTP paths reach 4 KiB; the rest of a longer line is skipped


def text_of(data: bytes) -> str:
    """Return bytes as text: UTF-8 where they are that, Latin-1 otherwise, so that unequal bytes stay unequal."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


class Line:
    """One line without its end.

    `cut` says that the line was longer than the bound, `bare` that it ended in LF alone, and `doubtful` that bytes
    went missing just before it, so it may be the tail of another line.
    """

    __slots__ = ("bare", "cut", "data", "doubtful")

    def __init__(self, data: bytes, cut: bool = False, bare: bool = False, doubtful: bool = False) -> None:
        self.data = data
        self.cut = cut
        self.bare = bare
        self.doubtful = doubtful

    @property
    def text(self) -> str:
        """The line as text; see `text_of`."""
        return text_of(self.data)

    def with_data(self, data: bytes) -> "Line":
        """The same line with other bytes."""
        return Line(data, self.cut, self.bare, self.doubtful)


class LineBuffer:
    """The bytes of one side that were not consumed yet, taken off as lines or raw.

    Lines end with LF, with or without CR before it. Holds at most `limit` bytes and the last piece pushed.
    """

    __slots__ = ("_data", "_doubtful", "_limit", "_pos", "_scan", "_skipping")

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._data: bytes | bytearray = b""  # a piece as it came, while it is all there is: mostly it is whole lines
        self._pos = 0  # consumed so far
        self._scan = 0  # no line end before this
        self._skipping = False  # the current line is over the bound: drop up to its end
        self._doubtful = False

    def push(self, data: bytes) -> None:
        """Append the next bytes."""
        if self._skipping:
            end = data.find(b"\n")
            if end < 0:
                return
            data = data[end:]
        if self._pos == len(self._data):
            self._data = data
            self._pos = self._scan = 0
        else:
            if type(self._data) is bytes:
                self._data = bytearray(self._data)
            self._data += data

    def line(self) -> Line | None:
        """Take the next line, None when its end has not come yet."""
        data, pos = self._data, self._pos
        if pos == len(data):
            if pos:
                self._data = b""
                self._pos = self._scan = 0
            return None
        end = data.find(b"\n", self._scan)
        if end < 0:
            self._compact()
            return None
        raw = data[pos:end]
        self._pos = self._scan = end + 1
        return self._finish(raw if type(raw) is bytes else bytes(raw))

    def take(self, count: int | None = None) -> bytes:
        """Take raw bytes from the start of a line on: at most `count`, by default all that is there."""
        end = len(self._data) if count is None else min(len(self._data), self._pos + count)
        raw = bytes(self._data[self._pos : end])
        self._pos = self._scan = end
        if end == len(self._data):
            self._data = b""
            self._pos = self._scan = 0
        return raw

    def rest(self) -> Line | None:
        """Take what is left as a line without an end; None when nothing is."""
        raw = self.take()
        return self._finish(raw) if raw else None

    def gap(self) -> None:
        """Bytes are missing: forget the line they belonged to."""
        self._data = b""
        self._pos = self._scan = 0
        self._skipping = False
        self._doubtful = True

    @property
    def held_bytes(self) -> int:
        """Bytes held now."""
        return len(self._data) - self._pos

    def starts_with(self, prefix: bytes) -> bool:
        """Whether the line that has begun starts with `prefix`."""
        return self._data.startswith(prefix, self._pos)

    def _finish(self, raw: bytes) -> Line:
        doubtful = self._doubtful
        if self._skipping or len(raw) > self._limit:
            self._skipping = self._doubtful = False
            return Line(raw[: self._limit], True, False, doubtful)
        self._doubtful = False
        if raw[-1:] == b"\r":
            return Line(raw.rstrip(b"\r"), False, False, doubtful)
        return Line(raw, False, True, doubtful)

    def _compact(self) -> None:
        if self._pos:
            self._data = self._data[self._pos :]
            self._pos = 0
        if len(self._data) > self._limit:
            self._data = self._data[: self._limit]
            self._skipping = True
        self._scan = len(self._data)
