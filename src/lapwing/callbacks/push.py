"""A collector's event stream: server-sent events, each interaction sealed under its mailbox's AES key.

Beside polling, for clients that find it offered in the answer to their registration. The number of an interaction is
the event's id, so `Last-Event-ID` resumes where a broken stream ended, and nothing is gone before it was acknowledged.
"""

from typing import Final, NamedTuple

import msgspec

from lapwing.callbacks.interaction import AnyInteraction, Interaction
from lapwing.callbacks.interactsh.cipher import decrypt_entry, encrypt_entry
from lapwing.callbacks.interactsh.dialect import CipherMode
from lapwing.events import WireError

MAILBOX_HEADER: Final = "X-Lapwing-Mailbox"  # the correlation id
SECRET_HEADER: Final = "X-Lapwing-Secret"  # noqa: S105 - a header's name
CONSUMER_HEADER: Final = "X-Lapwing-Consumer"  # who reads; each has a cursor of its own
RESUME_HEADER: Final = "Last-Event-ID"
MAX_EVENT_BYTES = 2 * 1024 * 1024  # of one event: a request and its answer, base64 twice, stay below

_decoder = msgspec.json.Decoder(AnyInteraction)


class Hello(msgspec.Struct, frozen=True):
    """First event of a stream: the wrapped AES key, where the stream begins, what retention deleted before.

    `cursor` is the number after which it begins; `lost_through` the newest deleted by age or size, 0 for none.
    """

    aes_key: str
    cursor: int
    lost_through: int = 0


class Refused(msgspec.Struct, frozen=True):
    """The collector could not take interactions in a span of its time; those who sent them got no answer."""

    from_ns: int
    to_ns: int
    count: int
    reason: str


class Marked(msgspec.Struct, frozen=True):
    """Answer to an acknowledgement: everything that had arrived by then has a number up to `head`."""

    head: int


class ServerEvent(NamedTuple):
    """One event: `hello`, `interaction`, `refused` or `expired`. `seq` is None where the event has no id."""

    kind: str
    data: str
    seq: int | None = None


def seal(interaction: Interaction, *, aes_key: bytes, iv: bytes) -> str:
    """Return an interaction as the data of an event. `iv` is 16 fresh random bytes."""
    return encrypt_entry(msgspec.json.encode(interaction), aes_key=aes_key, iv=iv)


def unseal(data: str, *, aes_key: bytes) -> Interaction:
    """Read the data of an `interaction` event. Raises WireError."""
    plain = decrypt_entry(data, aes_key=aes_key, mode=CipherMode.CTR)
    try:
        interaction: AnyInteraction = _decoder.decode(plain)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise WireError(f"no interaction: {problem}") from None
    return interaction


def write_event(kind: str, data: str | msgspec.Struct, seq: int | None = None) -> bytes:
    """Return an event's bytes. `data` has one line."""
    text = data if isinstance(data, str) else msgspec.json.encode(data).decode()
    number = "" if seq is None else f"id: {seq}\n"
    return f"{number}event: {kind}\ndata: {text}\n\n".encode()


def keep_alive() -> bytes:
    """A comment, so that a broken connection is noticed by whoever holds it."""
    return b":\n\n"


class EventReader:
    """Bytes to events, whichever way they were cut (HTML Living Standard, section 9.2.6). Bounded."""

    def __init__(self) -> None:
        self._data = b""
        self._kind = ""
        self._lines: list[str] = []
        self._seq: int | None = None
        self._size = 0

    def feed(self, data: bytes) -> list[ServerEvent]:
        """Return the events that are complete now. Raises WireError for one past `MAX_EVENT_BYTES`."""
        *lines, self._data = (self._data + data).split(b"\n")
        events = [event for line in lines if (event := self._line(line.removesuffix(b"\r"))) is not None]
        if len(self._data) + self._size > MAX_EVENT_BYTES:
            raise WireError(f"an event has at most {MAX_EVENT_BYTES} bytes")
        return events

    def _line(self, line: bytes) -> ServerEvent | None:
        if not line:
            return self._event()
        self._size += len(line)
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._kind = value
        elif name == "data":
            self._lines.append(value)
        elif name == "id" and value.isascii() and value.isdigit() and len(value) < 20:
            self._seq = int(value)
        return None

    def _event(self) -> ServerEvent | None:
        event = ServerEvent(self._kind or "message", "\n".join(self._lines), self._seq) if self._lines else None
        self._kind, self._lines, self._seq, self._size = "", [], None, 0
        return event
