"""Which protocol a flow speaks: content decides, the port only breaks ties.

| probes of the protocols say                          | then                                             |
| ---------------------------------------------------- | ------------------------------------------------ |
| YES from the first of those left (see below)         | that one, by content                             |
| YES, but one before it still says MORE               | undecided, so that no split changes the choice   |
| NO on either side                                    | that protocol is out, but see below              |
| NO from all                                          | hopeless: nothing of the flow need be kept       |
| MORE, and more can come                              | undecided                                        |
| nothing more will be had                             | who said YES, or whom it resembles on its port;  |
|                                                      | else the one on its port, by port                |

Those on their own port come first, then the order of the tuple.
A protocol whose `server_decides` is only put aside by what the client sends first, until the server speaks.
"""

from collections.abc import Iterable, Sequence

from lapwing.events import IdentifiedBy, Side
from lapwing.protocols.contract import ANY_BYTE, NO, PROBE_BYTES, YES, DatagramProtocol, StreamProtocol

MAX_UNDECIDED_BYTES = 8 * 1024  # of both sides; who has not shown a protocol by then is taken by port or given up
MAX_ASIDE_BYTES = 2 * 1024  # of a client that speaks nothing known, while its server is silent: garbage is shorter

# Members of enums under names of this module, as in `contract`.
_SERVER = Side.SERVER
_BY_CONTENT = IdentifiedBy.CONTENT
_BY_PORT = IdentifiedBy.PORT


def first_bytes(protocols: Iterable[StreamProtocol]) -> tuple[bytes, bytes]:
    """Return for client and server a table of 256 flags: whether any of `protocols` may begin with that byte."""
    client, server = bytearray(256), bytearray(256)
    for protocol in protocols:
        starts = (ANY_BYTE if protocol.server_decides else protocol.starts[0], protocol.starts[1])
        for flags, those in zip((client, server), starts, strict=True):
            for byte in those:
                flags[byte] = 1
    return bytes(client), bytes(server)


class StreamIdentifier:
    """Chooses the protocol of one flow from the first bytes of its sides.

    While `feed` returns None and `hopeless` is False the caller keeps what it fed, at most MAX_UNDECIDED_BYTES and one
    segment, and hands it to the parser once there is one. `evidence` says what the choice rests on, None before it.
    """

    __slots__ = (
        "_aside",
        "_candidates",
        "_client_head",
        "_port",
        "_seen_bytes",
        "_server_head",
        "_sure",
        "evidence",
        "hopeless",
    )

    def __init__(self, server_port: int, protocols: Sequence[StreamProtocol]) -> None:
        self.hopeless = False
        self.evidence: IdentifiedBy | None = None
        self._port = server_port
        self._candidates = protocols
        self._aside: list[StreamProtocol] = []  # out by what the client sent, until the server speaks
        self._sure: StreamProtocol | None = None  # said YES, while one before it says MORE
        self._client_head = b""
        self._server_head = b""
        self._seen_bytes = 0

    def feed(self, side: Side, data: bytes) -> StreamProtocol | None:
        """Look at the next bytes of `side`; return the protocol when they decide it."""
        head = self._server_head if side is _SERVER else self._client_head
        self._seen_bytes += len(data)
        if len(head) < PROBE_BYTES and data:
            head += data[: PROBE_BYTES - len(head)]
            if not (self._client_head or self._server_head):
                self._candidates = self._in_order(head, 1 if side is _SERVER else 0)
            if side is _SERVER:
                if self._aside:
                    self._candidates = [*self._candidates, *self._aside]
                    self._aside = []
                self._server_head = head
            else:
                self._client_head = head
            if self._ask(side, head):
                return self._choose(self._sure, _BY_CONTENT)
        if self._seen_bytes >= MAX_UNDECIDED_BYTES or self._saw_both():
            return self.settle()
        if self._seen_bytes >= MAX_ASIDE_BYTES and not self._candidates:
            return self.settle()
        return None

    def settle(self) -> StreamProtocol | None:
        """Decide with what was seen, as nothing more will come; None when the flow is hopeless."""
        sure = self._sure
        if self._client_head or self._server_head:
            for protocol in self._candidates:
                if self._port in protocol.ports and (sure is None or protocol.name in sure.resembles):
                    return self._choose(protocol, _BY_PORT)
        return self._choose(sure, _BY_PORT if sure is None else _BY_CONTENT)

    def _choose(self, protocol: StreamProtocol | None, evidence: IdentifiedBy) -> StreamProtocol | None:
        self.hopeless = protocol is None
        self.evidence = None if protocol is None else evidence
        return protocol

    def _saw_both(self) -> bool:
        return len(self._client_head) >= PROBE_BYTES and len(self._server_head) >= PROBE_BYTES

    def _in_order(self, head: bytes, place: int) -> list[StreamProtocol]:
        """Those that can begin so, the ones on their own port first."""
        on_port: list[StreamProtocol] = []
        others: list[StreamProtocol] = []
        for protocol in self._candidates:
            if head[0] in protocol.starts[place]:
                (on_port if self._port in protocol.ports else others).append(protocol)
            elif protocol.server_decides and not place:
                self._aside.append(protocol)
        return on_port + others

    def _ask(self, side: Side, head: bytes) -> bool:
        """Ask those who are left, in order; True when that decides it, for `_sure` or for nobody."""
        left: list[StreamProtocol] = []
        first = head[0]
        place = side is _SERVER
        for protocol in self._candidates:
            match = protocol.probe(side, head) if first in protocol.starts[place] else NO
            if match is NO:
                if not protocol.server_decides or place:
                    if protocol is self._sure:
                        self._sure = None
                    continue
                if not self._server_head:
                    self._aside.append(protocol)
                    continue
            if match is YES and (self._sure is None or self._sure not in left):
                self._sure = protocol
                if not left:
                    return True
            left.append(protocol)
        self._candidates = left
        return left[0] is self._sure if left else not self._aside


def identify_datagram(
    side: Side, datagram: bytes, server_port: int, protocols: Iterable[DatagramProtocol]
) -> DatagramProtocol | None:
    """Return the protocol whose probe recognises `datagram`: the one on its port, else the first; None for none."""
    chosen = None
    for protocol in protocols:
        if protocol.probe(side, datagram) is YES:
            if server_port in protocol.ports:
                return protocol
            chosen = chosen or protocol
    return chosen
