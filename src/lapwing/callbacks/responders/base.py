"""What all listeners have in common: outputs, deadlines, lines.

A responder is one connection. Bytes go in, outputs come out; it asks for its next deadline and sets none. No input
raises, nothing it holds grows past its bound, and a client that sends slowly is cut off all the same.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from lapwing.callbacks.interaction import Interaction, Peer

SECOND_NS = 1_000_000_000
MAX_LINE_BYTES = 8 * 1024  # longer lines come in pieces of this size


class Send(NamedTuple):
    """Write to the connection."""

    data: bytes


class StartTls(NamedTuple):
    """Do a TLS handshake after what was sent so far, then call `tls_started`."""


class Close(NamedTuple):
    """Close the connection after what was sent so far."""

    reason: str


class OpenData(NamedTuple):
    """FTP: listen for a data connection of this client, then call `data_listening`."""


class SendData(NamedTuple):
    """FTP: write this to the data connection once it is there, close it, then call `data_done`."""

    data: bytes


class DiscardData(NamedTuple):
    """FTP: read and discard the data connection up to its end or so many bytes, then call `data_done`."""

    limit_bytes: int


class Control(NamedTuple):
    """HTTP: a request to the collector itself, no interaction; give its answer to `answered`.

    `fields` are the header's, names in lower case; `whole` False: the body was longer than what is kept of one.
    """

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool = True
    stream: int = 0  # of HTTP/2


Output = Send | StartTls | Close | OpenData | SendData | DiscardData | Control | Interaction


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one connection may take. A client cannot hold a place longer by sending a byte now and then."""

    idle_s: float = 30.0  # without a byte
    message_s: float = 30.0  # from the first byte of a command or request to its last
    connection_s: float = 300.0  # in all
    connection_bytes: int = 16 * 1024 * 1024  # received in all


class Responder(ABC):
    """One connection. Subclasses say what to answer; this keeps time and the end."""

    def __init__(self, peer: Peer, now_ns: int, limits: Limits | None = None) -> None:
        self.peer = peer
        self.ended = False
        self._limits = limits or Limits()
        self._now_ns = now_ns
        self._ends_ns = now_ns + _ns(self._limits.connection_s)
        self._last_byte_ns = now_ns
        self._message_since_ns: int | None = None
        self._received_bytes = 0

    def start(self) -> list[Output]:
        """Return what to send before the client says anything."""
        return []

    def receive(self, data: bytes, now_ns: int) -> list[Output]:
        """Take the next bytes of the client."""
        if self.ended or not data:
            return []
        self._now_ns = self._last_byte_ns = now_ns
        data = data[: self._limits.connection_bytes - self._received_bytes]
        self._received_bytes += len(data)
        if self._message_since_ns is None:
            self._message_since_ns = now_ns
        outputs = self._received(data)
        if not self.held_bytes:
            self._message_since_ns = None
        if self._received_bytes >= self._limits.connection_bytes and not self.ended:
            outputs += self._broken("as many bytes as a connection may send")
        return outputs

    def wake(self, now_ns: int) -> list[Output]:
        """The time `next_wakeup_ns` asked for has come."""
        if self.ended or now_ns < (self.next_wakeup_ns or now_ns + 1):
            return []
        self._now_ns = now_ns
        return self._woken()

    def closed(self, now_ns: int) -> list[Output]:
        """The client closed the connection or it broke."""
        if self.ended:
            return []
        self._now_ns = now_ns
        return self._broken("closed by the client")

    def tls_started(self, now_ns: int, sni: str | None = None) -> list[Output]:
        """The handshake asked for is done; what comes now is its plain text."""
        self._now_ns = self._last_byte_ns = now_ns
        self.peer = replace(self.peer, tls=True, sni=sni)
        return []

    @property
    def next_wakeup_ns(self) -> int | None:
        """When to call `wake`; None once ended."""
        if self.ended:
            return None
        due_ns = min(self._ends_ns, self._last_byte_ns + _ns(self._limits.idle_s))
        if self._message_since_ns is not None:
            due_ns = min(due_ns, self._message_since_ns + _ns(self._limits.message_s))
        return due_ns

    @property
    @abstractmethod
    def held_bytes(self) -> int:
        """Bytes received and not understood yet."""

    @abstractmethod
    def _received(self, data: bytes) -> list[Output]:
        """Answer what is complete now."""

    @abstractmethod
    def _take_unread(self) -> bytes:
        """Give up what was received and not understood."""

    @abstractmethod
    def _last_words(self, reason: str, rest: bytes) -> list[Output]:
        """What is left to report when the connection ends; `rest` came and was not complete."""

    def _woken(self) -> list[Output]:
        return self._broken("too slow")

    def _message_done(self) -> None:
        """A command or request was read to its end; the time for the next one begins with its first byte."""
        self._message_since_ns = self._now_ns if self.held_bytes else None

    def _finish(self, reason: str) -> list[Output]:
        """End by our own decision; what was sent beyond it is not looked at."""
        self._take_unread()
        self.ended = True
        return [*self._last_words(reason, b""), Close(reason)]

    def _broken(self, reason: str) -> list[Output]:
        """End in the middle of whatever was being said."""
        rest = self._take_unread()
        self.ended = True
        return [*self._last_words(reason, rest), Close(reason)]


def _ns(seconds: float) -> int:
    return int(seconds * SECOND_NS)


class Line(NamedTuple):
    """A line with its end, or a piece of one that is longer than the bound: `partial`, its end still to come."""

    data: bytes
    partial: bool = False

    @property
    def bare(self) -> bytes:
        """Without its end."""
        return self.data.rstrip(b"\r\n")


class Lines:
    """Bytes to lines, whichever way they were cut on the road. Holds less than a line's bound between calls."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._data = bytearray()
        self._pos = 0

    def push(self, data: bytes) -> None:
        """Append the next bytes."""
        self._data += data

    def next(self) -> Line | None:
        """Take a line or a piece of the bound's size; None when neither is there."""
        end = self._data.find(b"\n", self._pos, self._pos + self._limit) + 1
        if end:
            return Line(self._cut(end))
        if len(self._data) - self._pos >= self._limit:
            return Line(self._cut(self._pos + self._limit), partial=True)
        self._compact()
        return None

    def take(self, count: int) -> bytes:
        """Take at most `count` bytes as they are."""
        data = self._cut(min(len(self._data), self._pos + count))
        self._compact()
        return data

    def clear(self) -> bytes:
        """Take everything."""
        return self.take(len(self._data))

    def __len__(self) -> int:
        return len(self._data) - self._pos

    def _cut(self, end: int) -> bytes:
        data = bytes(self._data[self._pos : end])
        self._pos = end
        return data

    def _compact(self) -> None:
        if self._pos:
            del self._data[: self._pos]
            self._pos = 0


def text(data: bytes) -> str:
    """Bytes as text: UTF-8 where it is that, Latin-1 otherwise, so that unequal bytes stay unequal."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def command(line: Line) -> tuple[str, str]:
    """Return a command line's verb in upper case and its argument, trimmed."""
    verb, _, argument = text(line.bare).strip().replace("\t", " ").partition(" ")
    return verb.upper(), argument.strip()
