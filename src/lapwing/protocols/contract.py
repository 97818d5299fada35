"""What a protocol is: a way to recognise it, and a parser made per flow.

A parser knows no I/O and no clock. Hostile bytes never raise out of it: it sets `poisoned` and returns what it had.
"""

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any, NamedTuple, Protocol

from lapwing.events import FlowKey, Message, Side
from lapwing.events.messages.carried import CarriedFile
from lapwing.protocols.tally import DatagramTally

MAX_POISON_REASON_BYTES = 256  # a reason goes into events and logs
PATIENCE_NS = (
    30_000_000_000  # for an answer, before a parser that waits for one tells that none came, unless told another
)
MAX_SILENT_TICKS = 64  # of a parser while nothing comes of its flow: a clock that jumps by years must not tick for ever


def cut_reason(text: str) -> str:
    """The first MAX_POISON_REASON_BYTES of a reason, in whole characters; what is no text becomes question marks."""
    return text.encode("utf-8", "replace")[:MAX_POISON_REASON_BYTES].decode("utf-8", "ignore")


class Match(IntEnum):
    """What a probe says of the first bytes of one side."""

    NO = 0
    MORE = 1  # could be; show more bytes
    YES = 2


NO, MORE, YES = Match  # probes run for every flow, and before Python 3.12 a look at `Match.NO` costs as much as a call
ANY_BYTE = bytes(range(256))


class Handover(NamedTuple):
    """How a stream goes on after its parser is done: as another protocol, from the bytes not consumed on.

    `protocol` is the name of one in STREAM_PROTOCOLS, None when it must be found out (HTTP CONNECT).
    """

    protocol: str | None
    client: bytes = b""
    server: bytes = b""


class StreamParser(Protocol):
    """Ordered bytes of one flow in, messages out.

    Laws: any split of a side's bytes gives the same messages; any bytes give messages, never an exception; buffers
    have named bounds. Messages returned by a call are delivered before a poison it announces; poison ends the parser,
    not the flow; poison wins over `done`. The driver stops feeding a parser that is poisoned or done. One that is done
    may have an attribute `handover`, a Handover, when the stream goes on as something else.
    """

    poisoned: str | None  # reason of at most MAX_POISON_REASON_BYTES, None while healthy
    done: bool  # it wants no more bytes

    def feed(self, side: Side, data: bytes, now_ns: int) -> Iterable[Message]:
        """Take the next bytes of `side`."""

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> Iterable[Message]:
        """`missing_bytes` of `side` will never come; the next feed continues after them."""

    def close(self, side: Side, reason: str, now_ns: int) -> Iterable[Message]:
        """`side` sends no more (`fin`, or the close reason of the flow). Called at most once per side."""


class WakingParser(Protocol):
    """What a StreamParser or DatagramParser has more if it acts when time passes and nothing comes.

    Time is that of the packets, and the clock's while an interface is silent. A parser is woken once for each time it
    names: before anything that comes at that time or later is handed to it, and never after its flow was closed or both
    its sides. Time may have jumped far beyond; `now_ns` is still the time it named, so that what it returns depends on
    its flow alone. It is asked for its next time after every call. While nothing comes of the flow it is woken
    MAX_SILENT_TICKS times at most. Messages, poison, done: as after any other call; no side said what it returns, and
    the client's stands for that.

    One that waits for answers may have an attribute `patience_ns`: the driver sets it to what its settings say
    (`sessions.unanswered_after_s`) before anything is fed, so that all protocols are as patient.
    """

    next_wakeup_ns: int | None  # None: not before something comes. A time that has passed: as soon as possible

    def tick(self, now_ns: int) -> Iterable[Message]:
        """The time that `next_wakeup_ns` named has come."""


class QuietParser(Protocol):
    """A parser for one listener, as StreamParser but that messages which it does not want come as None, to be counted.

    Whoever feeds it may leave out bytes that need no look, if it says so before anything else of that side.
    """

    poisoned: str | None
    done: bool
    idle_bytes: int  # of the side heard last: how many that follow need no look

    def feed(self, side: Side, data: bytes, now_ns: int) -> Iterable[Message | None]:
        """Take the next bytes of `side`."""

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> Iterable[Message | None]:
        """`missing_bytes` of `side` will never come."""

    def close(self, side: Side, reason: str, now_ns: int) -> Iterable[Message | None]:
        """`side` sends no more."""

    def wake(self, side: Side, left: int) -> None:
        """Of the bytes of `side` that were idle all but `left` went by unseen."""


class DatagramParser(Protocol):
    """Datagrams of one flow in, messages out. Poison and done as in StreamParser."""

    poisoned: str | None
    done: bool

    def parse(self, side: Side, datagram: bytes, now_ns: int) -> Iterable[Message]:
        """Take one datagram."""

    def close(self, now_ns: int) -> Iterable[Message]:
        """The flow ended."""


class ContentReader(Protocol):
    """Bytes of a message's content in, the files they are out."""

    def add(self, data: bytes) -> None:
        """Take the next bytes."""

    def lose(self, missing_bytes: int) -> None:
        """So many bytes will never come."""

    def finish(self, *, complete: bool = True) -> list[CarriedFile]:
        """The content is over; `complete` is False when it was cut."""


class StreamProtocol(NamedTuple):
    """A protocol over TCP. `probe(side, head)` sees up to PROBE_BYTES of the start of one side.

    `starts` has the bytes a client and a server may begin with; for others `probe` is not asked and would say NO.
    `encrypted` says that logins in it cannot be read.
    `server_decides` says that a server which begins so is believed whatever its client sent before: servers forgive
    garbage in front of a request, and a client must not hide by it.
    `resembles` names protocols whose clients begin alike: on their port, they are meant where the server is not seen.
    `quiet(listener)` makes a parser for where nobody but the login adapter takes messages; the adapter of such a
    protocol has the methods that the parser asks of a listener.
    `make_with_files` makes a parser whose messages also tell of the files they carry, for who asks for those.
    """

    name: str
    ports: frozenset[int]
    probe: Callable[[Side, bytes], Match]
    make: Callable[[FlowKey], StreamParser]
    starts: tuple[bytes, bytes] = (ANY_BYTE, ANY_BYTE)
    encrypted: bool = False
    server_decides: bool = False
    resembles: frozenset[str] = frozenset()
    quiet: Callable[[Any], QuietParser] | None = None
    make_with_files: Callable[[FlowKey], StreamParser] | None = None


class DatagramProtocol(NamedTuple):
    """A protocol over UDP. `probe(side, datagram)` answers YES or NO for one datagram; `encrypted` as above.

    `starts` has the bytes a datagram may begin with; for others `probe` is not asked and would say NO.
    `tally(client_port, server_port)` makes what serves in place of a parser where nobody looks at messages.
    """

    name: str
    ports: frozenset[int]
    probe: Callable[[Side, bytes], Match]
    make: Callable[[FlowKey], DatagramParser]
    encrypted: bool = False
    tally: Callable[[int, int], DatagramTally] | None = None
    starts: bytes = ANY_BYTE


PROBE_BYTES = 64  # per side; every protocol of ours shows itself within it
