"""The parts of a MIME message (RFC 2045, RFC 2046), taken apart as its bytes come."""

import binascii
import re
from email.message import Message

from lapwing.events.messages.carried import CarriedFile
from lapwing.protocols.files.reader import Declared, FileReader

MAX_DEPTH = 8  # parts in parts; what lies deeper is one file
MAX_FILES = 100  # told of one message; more are not read
MAX_HEADER_BYTES = 16 * 1024  # of one part; what follows counts as its body
MAX_LINE_BYTES = 64 * 1024  # held of one line; a longer one holds no boundary
MAX_NAME = 255  # letters of a file's name; file systems take no longer ones

_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
_MARK = b"--"


class Entities:
    """Bytes of a message with its header section in, its files out."""

    def __init__(self, *, fields: bytes = b"", named_only: bool = False) -> None:
        """`fields` are those of a header section that is read already. With `named_only`, parts that have no file name

        are counted but not digested.
        """
        self._named_only = named_only
        self._files: list[CarriedFile] = []
        self._boundaries: list[bytes] = []
        self._count = 0
        self._line = b""
        self._header: bytearray | None = bytearray()
        self._body: FileReader | None = None
        self._coding = ""
        self._held = b""  # a line end, which belongs to a boundary that may follow; or what is left of base64
        self._rest = b""
        if fields:
            self._header += fields
            self._begin()

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        lines = (self._line + data).split(b"\n")
        self._line = lines.pop()
        for line in lines:
            self._take(line + b"\n")
        if len(self._line) > MAX_LINE_BYTES:
            self._take(self._line)
            self._line = b""

    def lose(self, missing_bytes: int) -> None:
        """Count bytes that will never come: they count for the part that is being read."""
        line, self._line = self._line, b""
        if line:
            self._take(line)
        self._rest = b""
        if self._body is not None:
            self._body.lose(missing_bytes)

    def finish(self, *, complete: bool = True) -> list[CarriedFile]:
        """The message is over; return its files in order."""
        if self._line:
            self._take(self._line)
        self._end(complete=complete and not self._boundaries)
        return self._files

    def _take(self, line: bytes) -> None:
        if line.startswith(_MARK) and self._boundaries and self._meet(line[2:].rstrip()):
            return
        if self._header is None:
            self._content(line)
        elif not line.strip():
            self._begin()
        elif len(self._header) + len(line) <= MAX_HEADER_BYTES:
            self._header += line
        else:
            self._begin()
            self._take(line)

    def _meet(self, mark: bytes) -> bool:
        """Whether a line is a boundary: then the part before it ends, and those inside of it."""
        for depth, boundary in enumerate(self._boundaries):
            if mark in (boundary, boundary + _MARK):
                self._held = b""
                self._end(complete=True)
                last = mark != boundary
                del self._boundaries[depth if last else depth + 1 :]
                self._header = None if last else bytearray()
                return True
        return False

    def _begin(self) -> None:
        """The header section of a part ended: see what its body is."""
        fields = _fields(bytes(self._header or b""))
        self._header = None
        self._count += 1
        kind = fields.get_content_type() if fields["content-type"] else None
        boundary = _parameter(fields, "boundary")
        if kind is not None and kind.startswith("multipart/") and boundary and len(self._boundaries) < MAX_DEPTH:
            self._boundaries.append(boundary.encode("latin-1", "replace"))
        elif kind == "message/rfc822":
            self._header = bytearray()
        elif len(self._files) < MAX_FILES:
            name = _parameter(fields, "filename", "content-disposition") or _parameter(fields, "name")
            declared = Declared(kind, name[:MAX_NAME] if name else None)
            self._coding = str(fields["content-transfer-encoding"] or "").strip().lower()
            self._body = FileReader(declared, depth=self._count, digested=bool(name) or not self._named_only)

    def _content(self, line: bytes) -> None:
        body = self._body
        if body is None:
            return
        if self._coding == "base64":
            coded = self._rest + _NO_BASE64.sub(b"", line)
            whole = len(coded) - len(coded) % 4
            self._rest = coded[whole:]
            body.add(_decoded(coded[:whole]))
            return
        if self._coding == "quoted-printable":
            line = binascii.a2b_qp(line)
        bare = line.rstrip(b"\r\n") if line.endswith(b"\n") else line
        body.add(self._held + bare)
        self._held = line[len(bare) :]

    def _end(self, *, complete: bool) -> None:
        body, self._body = self._body, None
        if body is not None:
            if self._rest:
                body.add(_decoded(self._rest + b"=" * (-len(self._rest) % 4)))
            body.add(self._held)
            self._files += body.finish(complete=complete)
        self._held = self._rest = b""


def _decoded(coded: bytes) -> bytes:
    try:
        return binascii.a2b_base64(coded)
    except binascii.Error:
        return b""


def _fields(section: bytes) -> Message:
    """A header section, unfolded. Only fields that say what a part is are looked at."""
    found = Message()
    for line in re.sub(rb"\r?\n[ \t]+", b" ", section).splitlines():
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() in (b"content-type", b"content-disposition", b"content-transfer-encoding"):
            found[name.strip().decode("latin-1")] = value.strip().decode("latin-1")
    return found


def name_in(disposition: str | None) -> str | None:
    """The file name that a Content-Disposition gives (RFC 6266), None where it gives none."""
    if disposition is None:
        return None
    fields = Message()
    fields["content-disposition"] = disposition
    name = _parameter(fields, "filename", "content-disposition")
    return name[:MAX_NAME] if name else None


def _parameter(fields: Message, name: str, field: str = "content-type") -> str | None:
    """A parameter of a field, with its coding taken off (RFC 2231)."""
    try:
        found = fields.get_param(name, header=field)
    except (ValueError, LookupError):
        return None
    if isinstance(found, tuple):
        charset, _, text = found
        try:
            return text.encode("latin-1").decode(charset or "latin-1")
        except (LookupError, ValueError):
            return text
    return found or None
