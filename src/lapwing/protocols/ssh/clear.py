"""One side of SSH until it encrypts: the identification string, then binary packets up to NEWKEYS."""

from lapwing.events import Side
from lapwing.protocols.lines import LineBuffer

MAX_BANNER_BYTES = 255  # RFC 4253, 4.2
MAX_PREAMBLE_BYTES = 8 * 1024  # lines a server may send before its identification; OpenSSH's client takes as many
MAX_PACKET_BYTES = 256 * 1024  # RFC 4253, 6.1 asks for 35,000; OpenSSH takes 256 KiB
MAX_KEXINIT_BYTES = 64 * 1024  # held while it comes; real ones have 1 to 2 KiB

_CLIENT = Side.CLIENT
_KEXINIT = 20
_NEWKEYS = 21
_READ_WHOLE = {_KEXINIT: MAX_KEXINIT_BYTES, _NEWKEYS: 1024}  # NEWKEYS has nothing but padding
_HEAD_BYTES = 6  # length, padding length, message type


class ClearSide:
    """Reads one side. `error` says why the bytes do not fit, None while they do.

    `encrypted` turns True at NEWKEYS; `rest` then holds the bytes after it. `lost` means that a gap made the rest
    unreadable.
    """

    __slots__ = ("_data", "_lines", "_preamble_bytes", "_side", "_skip", "banner", "encrypted", "error", "lost",
                 "rest")  # fmt: skip

    def __init__(self, side: Side) -> None:
        self._side = side
        self._lines: LineBuffer | None = LineBuffer(MAX_PREAMBLE_BYTES)
        self._preamble_bytes = 0
        self._data = bytearray()  # of the packet that has begun
        self._skip = 0  # bytes of a packet that nobody reads
        self.banner: str | None = None
        self.error: str | None = None
        self.encrypted = False
        self.lost = False
        self.rest = b""

    @property
    def is_version_1(self) -> bool:
        """Whether this side speaks the first protocol only; 1.99 means both (RFC 4253, 5.1)."""
        return self.banner is not None and self.banner.startswith("SSH-1.") and not self.banner.startswith("SSH-1.99-")

    @property
    def held_bytes(self) -> int:
        """Bytes held."""
        return len(self._data) + len(self.rest) + (self._lines.held_bytes if self._lines else 0)

    def push(self, data: bytes) -> list[str | bytes]:
        """Take the next bytes; return the identification as text and the payloads of KEXINIT packets."""
        found: list[str | bytes] = []
        if self.lost or self.error:
            return found
        lines = self._lines
        if lines is not None:
            lines.push(data)
            if not self._read_banner(lines):
                return found
            if self.banner is not None:
                found.append(self.banner)
            data = lines.take()
            self._lines = None
        if not self.is_version_1:
            self._data += data
            self._packets(found)
        return found

    def gap(self, missing_bytes: int) -> None:
        """Bytes are missing: harmless inside a packet that nobody reads, else the end of what can be read."""
        if self._lines is None and not self._data and missing_bytes <= self._skip:
            self._skip -= missing_bytes
            return
        self.lost = True
        self._data.clear()
        self._lines = None

    def _read_banner(self, lines: LineBuffer) -> bool:
        while (line := lines.line()) is not None:
            if line.data.startswith(b"SSH-"):
                self.banner = line.data[:MAX_BANNER_BYTES].decode("latin-1")
                return True
            self._preamble_bytes += len(line.data) + 1
            if not self._may_go_on():
                return False
        begun = lines.starts_with(b"SSH-"[: lines.held_bytes])
        if not begun and (self._side is _CLIENT or lines.held_bytes >= MAX_PREAMBLE_BYTES):
            self.error = "no identification string"
        return False

    def _may_go_on(self) -> bool:
        # Only a server may send other lines first.
        if self._side is _CLIENT or self._preamble_bytes > MAX_PREAMBLE_BYTES:
            self.error = "no identification string"
        return self.error is None

    def _packets(self, found: list[str | bytes]) -> None:
        while self.error is None and not self.encrypted:
            data = self._data
            if self._skip:
                skipped = min(self._skip, len(data))
                del data[:skipped]
                self._skip -= skipped
            if self._skip or len(data) < _HEAD_BYTES:
                return
            length = int.from_bytes(data[:4], "big")
            kind = data[5]
            if not self._fits(kind, length):
                return
            if kind not in _READ_WHOLE:
                self._skip = 4 + length
                continue
            if len(data) < 4 + length:
                return
            if kind == _NEWKEYS:
                self.encrypted = True
                self.rest = bytes(data[4 + length :])
                data.clear()
            else:
                found.append(self._take_payload(length))

    def _fits(self, kind: int, length: int) -> bool:
        limit = _READ_WHOLE.get(kind, MAX_PACKET_BYTES)
        if not 2 <= length <= limit:
            self.error = f"a packet of {length} bytes before encryption, type {kind}"
        return self.error is None

    def _take_payload(self, length: int) -> bytes:
        payload = bytes(self._data[5 : 4 + length - self._data[4]])
        del self._data[: 4 + length]
        return payload
