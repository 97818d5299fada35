"""One file, byte by byte."""

import hashlib
import zlib
from typing import Any, NamedTuple

from lapwing.events.messages.carried import CarriedFile
from lapwing.protocols.files.kinds import MAX_KIND, kind_of

SNIFFED_BYTES = 1024  # of the start, which tell what it is
MAX_INFLATED_BYTES = 256 * 1024 * 1024  # of one file; more is a bomb, and is counted as it was sent
INFLATED_PIECE_BYTES = 64 * 1024  # held at once

_WINDOWS = {
    "gzip": 31,
    "x-gzip": 31,
    "deflate": 47,
}  # for zlib; 47: either header (RFC 9110, 8.4.1)

_DEFLATED = 8  # the low four bits of a header of zlib (RFC 1950); some servers leave the header out
_BARE = -15  # for zlib: no header


class Declared(NamedTuple):
    """What the sender says of a file."""

    kind: str | None = None
    name: str | None = None
    size: int | None = None
    coding: str = ""


class FileReader:
    """Counts a file, digests it, and looks at its start."""

    __slots__ = (
        "_coded",
        "_declared",
        "_depth",
        "_digests",
        "_given_up",
        "_head",
        "_inflater",
        "_missing",
        "_seen",
        "_sent",
        "_whole",
    )

    def __init__(self, declared: Declared, *, depth: int = 1, digested: bool = True) -> None:
        self._declared = declared
        self._depth = depth
        names = ("md5", "sha1", "sha256") if digested else ()
        self._digests = [hashlib.new(name, usedforsecurity=False) for name in names]
        self._head = b""
        self._seen = 0
        self._missing = 0
        self._whole = True
        self._sent = 0  # before a coding was taken off
        self._given_up = False
        self._inflater: Any = None  # of zlib, from the first bytes on
        self._coded = declared.coding in _WINDOWS
        if declared.coding and not self._coded:
            self._whole = False  # a coding that is not taken off: these are not the bytes of the file

    def add(self, data: bytes) -> None:
        """Take the next bytes as they were sent."""
        self._sent += len(data)
        if self._coded and data:
            self._inflate(data)
        elif not self._given_up:
            self._take(data)

    def lose(self, missing_bytes: int) -> None:
        """Count bytes that will never come; what is coded cannot be read on."""
        self._missing += missing_bytes
        self._whole = False
        if self._coded:
            self._give_up()

    def finish(self, *, complete: bool = True) -> list[CarriedFile]:
        """Tell what the file was; nothing of one without bytes."""
        seen = self._sent if self._given_up else self._seen
        if not seen + self._missing:
            return []
        declared = self._declared
        sums = {digest.name: digest.hexdigest() for digest in self._digests} if self._whole and complete else {}
        found = CarriedFile(
            seen_bytes=seen,
            missing_bytes=self._missing,
            total_bytes=None if declared.coding else declared.size,
            mime_type=kind_of(self._head),
            declared_type=declared.kind and declared.kind[:MAX_KIND],
            name=declared.name,
            md5=sums.get("md5"),
            sha1=sums.get("sha1"),
            sha256=sums.get("sha256"),
            depth=self._depth,
        )
        return [found]

    def _take(self, data: bytes) -> None:
        self._seen += len(data)
        if len(self._head) < SNIFFED_BYTES and not self._missing:
            self._head += data[: SNIFFED_BYTES - len(self._head)]
        for digest in self._digests:
            digest.update(data)

    def _inflate(self, data: bytes) -> None:
        """Take the coding off, piece by piece; what is no such coding is counted as it was sent."""
        inflater = self._inflater
        if inflater is None:
            bare = self._declared.coding == "deflate" and data[0] & 0xF != _DEFLATED
            inflater = self._inflater = zlib.decompressobj(_BARE if bare else _WINDOWS[self._declared.coding])
        while data and not inflater.eof and not self._given_up:
            try:
                piece = inflater.decompress(data, INFLATED_PIECE_BYTES)
            except zlib.error:
                self._head = b""  # how much came out of it before depends on how it was cut
                self._give_up()
                return
            self._take(piece)
            if self._seen > MAX_INFLATED_BYTES:
                self._give_up()
            data = inflater.unconsumed_tail

    def _give_up(self) -> None:
        """The coding is not taken off from here on: the file counts as it is sent."""
        self._given_up = True
        self._coded = self._whole = False
