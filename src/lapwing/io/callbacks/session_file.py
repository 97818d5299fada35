"""A session on disk: who we are to the collector, what was minted, what was seen. One JSON line each, appended.

The file opens the mailbox, so only its owner may read it, and one process at a time uses it.
What the collector delivered is deleted there, so it is written here: a session that goes on later still knows.
"""

import fcntl
import os
import stat
from pathlib import Path
from typing import NamedTuple

import msgspec

from lapwing.callbacks import AnyInteraction, Gap, Interaction
from lapwing.events import SettingsError

MODE = 0o600
MAX_FILE_BYTES = 256 * 1024 * 1024  # a journal that grew past this is written no further, and says so
BEGINNING_NS = 0

UNFINISHED = "an earlier run ended without closing its session; what it had fetched may not have been written"
FULL = "the session file was full, so what an earlier run saw was not written"


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """The first line: everything that makes the session. `key` is a private key in PEM."""

    server: str
    domain: str
    correlation_id: str
    nonce_length: int
    secret: str
    token_key: bytes
    key: str
    token: str | None = None

    def __repr__(self) -> str:
        """Without what opens the mailbox."""
        return f"Opened(server={self.server!r}, correlation_id={self.correlation_id!r})"


class Began(msgspec.Struct, frozen=True, tag="began"):
    """A run uses the session from here."""

    at_ns: int


class Minted(msgspec.Struct, frozen=True, tag="minted"):
    """One token."""

    number: int
    at_ns: int
    purpose: str = ""


class Seen(msgspec.Struct, frozen=True, tag="seen"):
    """One interaction with a token of this session."""

    interaction: AnyInteraction


class Missed(msgspec.Struct, frozen=True, tag="missed"):
    """A span in which something may have been lost."""

    from_ns: int
    to_ns: int
    reason: str


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """The run ended in order: all it had fetched is written above."""

    at_ns: int


Line = Opened | Began | Minted | Seen | Missed | Closed
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Line)


class Saved(NamedTuple):
    """What a file held."""

    opened: Opened
    minted: list[Minted]
    seen: list[Interaction]
    gaps: list[Gap]
    last_ns: int  # the latest time in it


class SessionFile:
    """The file of one session, locked while it is open."""

    def __init__(self, path: Path) -> None:
        """Open or create it. Raises SettingsError when others may read it, another process uses it, or it cannot be."""
        self.path = path
        self.saved: Saved | None = None
        self._size_bytes = 0
        self._full = False
        self._begun = False
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, MODE)
        except OSError as problem:
            raise SettingsError(f"session file {path}: {problem.strerror}") from None
        try:
            self._check()
            self._load()
        except BaseException:
            os.close(self._file)
            raise

    def _check(self) -> None:
        mode = stat.S_IMODE(os.fstat(self._file).st_mode)
        if mode & 0o077:
            raise SettingsError(f"session file {self.path}: others may read it; chmod 600 it")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SettingsError(f"session file {self.path}: another process uses this session") from None

    def _load(self) -> None:
        data = b"".join(iter(lambda: os.read(self._file, 1 << 20), b""))
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) != len(data):  # a run ended within a line
            os.ftruncate(self._file, len(whole))
        self._size_bytes = len(whole)
        try:
            lines = [_decoder.decode(line) for line in whole.splitlines()]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise SettingsError(f"session file {self.path}: not one of ours: {problem}") from None
        if lines:
            self.saved = self._read(lines)

    def _read(self, lines: list[Line]) -> Saved:
        first, *rest = lines
        if not isinstance(first, Opened):
            raise SettingsError(f"session file {self.path}: does not begin with a session")
        last_ns = max((getattr(line, "at_ns", 0) for line in rest), default=0)
        saved = Saved(first, [], [], [], last_ns)
        running_since_ns: int | None = None
        for line in rest:
            if isinstance(line, Began):
                if running_since_ns is not None:
                    saved.gaps.append(Gap(BEGINNING_NS, line.at_ns, UNFINISHED))
                running_since_ns = line.at_ns
            elif isinstance(line, Minted):
                saved.minted.append(line)
            elif isinstance(line, Seen):
                saved.seen.append(line.interaction)
            elif isinstance(line, Missed):
                saved.gaps.append(Gap(line.from_ns, line.to_ns, line.reason))
            elif isinstance(line, Closed):
                running_since_ns = None
        self.unfinished = running_since_ns is not None
        return saved

    unfinished = False

    def begin(self, opened: Opened, at_ns: int) -> None:
        """A run begins; the first writes what makes the session. Before this, nothing is written at all."""
        if self._begun:
            return
        self._begun = True
        if self.saved is None:
            self._write(opened)
        elif self.unfinished:
            self.saved.gaps.append(Gap(BEGINNING_NS, at_ns, UNFINISHED))
        self._write(Began(at_ns))

    def minted(self, number: int, purpose: str, at_ns: int) -> None:
        """Write a token down before anybody plants it. Raises SettingsError when the disk takes no more."""
        if self._begun:
            self._write(Minted(number, at_ns, purpose))

    def seen(self, interaction: Interaction) -> None:
        """Write an interaction down; past the bound, that it was not."""
        if self._full or not self._begun:
            return
        if self._size_bytes > MAX_FILE_BYTES:
            self._full = True
            return
        self._write(Seen(interaction))  # type: ignore[arg-type]

    def close(self, gaps: list[Gap], at_ns: int) -> None:
        """The run ends: write what it may have missed, and that it ended in order."""
        known = set() if self.saved is None else set(self.saved.gaps)
        try:
            if not self._begun:
                return
            for gap in gaps:
                if gap not in known:
                    self._write(Missed(*gap))
            if self._full:
                self._write(Missed(BEGINNING_NS, at_ns, FULL))
            self._write(Closed(at_ns))
        finally:
            os.close(self._file)

    def _write(self, line: Line) -> None:
        data = memoryview(_encoder.encode(line) + b"\n")
        self._size_bytes += len(data)
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as problem:
            raise SettingsError(f"session file {self.path}: {problem.strerror}") from None
