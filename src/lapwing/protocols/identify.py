"""Which protocol a flow speaks: content decides, the port only breaks ties.

| probes of the protocols say                          | then                                             |
| ---------------------------------------------------- | ------------------------------------------------ |
| YES from the first of those left (see below)         | that one, by content                             |
| YES, but one before it still says MORE               | undecided, so that no split changes the choice   |
| NO on either side                                    | that protocol is out                             |
| NO from all                                          | hopeless: nothing of the flow need be kept       |
| MORE, and more can come                              | undecided                                        |
| nothing more will be had                             | who said YES; else the one on its port, by port  |

Those on their own port come first, then the order of the tuple.
"""

from collections.abc import Iterable, Sequence

from lapwing.events import IdentifiedBy, Side
from lapwing.protocols.contract import NO, PROBE_BYTES, YES, DatagramProtocol, StreamProtocol

MAX_UNDECIDED_BYTES = 8 * 1024  # of both sides; who has not shown a protocol by then is taken by port or given up

# Members of enums under names of this module, as in `contract`.
_SERVER = Side.SERVER
_BY_CONTENT = IdentifiedBy.CONTENT
_BY_PORT = IdentifiedBy.PORT


def first_bytes(protocols: Iterable[StreamProtocol]) -> tuple[bytes, bytes]:
    """Return for client and server a table of 256 flags: whether any of `protocols` may begin with that byte."""
    client, server = bytearray(256), bytearray(256)
    for protocol in protocols:
        for flags, starts in zip((client, server), protocol.starts, strict=True):
            for byte in starts:
                flags[byte] = 1
    return bytes(client), bytes(server)


class StreamIdentifier:
    """Chooses the protocol of one flow from the first bytes of its sides.

    While `feed` returns None and `hopeless` is False the caller keeps what it fed, at most MAX_UNDECIDED_BYTES and one
    segment, and hands it to the parser once there is one. `evidence` says what the choice rests on, None before it.
    """

    __slots__ = ("_candidates", "_heads", "_port", "_seen_bytes", "_sure", "evidence", "hopeless")

    def __init__(self, server_port: int, protocols: Sequence[StreamProtocol]) -> None:
        self.hopeless = False
        self.evidence: IdentifiedBy | None = None
        self._port = server_port
        self._candidates = protocols
        if protocols and server_port not in protocols[0].ports:
            on_port: list[StreamProtocol] = []
            others: list[StreamProtocol] = []
            for protocol in protocols:
                (on_port if server_port in protocol.ports else others).append(protocol)
            self._candidates = on_port + others
        self._sure: StreamProtocol | None = None  # said YES, while one before it says MORE
        self._heads: dict[Side, bytes] = {}
        self._seen_bytes = 0

    def feed(self, side: Side, data: bytes) -> StreamProtocol | None:
        """Look at the next bytes of `side`; return the protocol when they decide it."""
        heads = self._heads
        head = heads.get(side, b"")
        self._seen_bytes += len(data)
        if len(head) < PROBE_BYTES and data:
            head = heads[side] = head + data[: PROBE_BYTES - len(head)]
            if self._ask(side, head):
                return self._choose(self._sure, _BY_CONTENT)
        if self._seen_bytes >= MAX_UNDECIDED_BYTES or self._saw_both():
            return self.settle()
        return None

    def settle(self) -> StreamProtocol | None:
        """Decide with what was seen, as nothing more will come; None when the flow is hopeless."""
        if self._sure is not None:
            return self._choose(self._sure, _BY_CONTENT)
        on_port = (protocol for protocol in self._candidates if self._heads and self._port in protocol.ports)
        return self._choose(next(on_port, None), _BY_PORT)

    def _choose(self, protocol: StreamProtocol | None, evidence: IdentifiedBy) -> StreamProtocol | None:
        self.hopeless = protocol is None
        self.evidence = None if protocol is None else evidence
        return protocol

    def _saw_both(self) -> bool:
        return len(self._heads) == 2 and all(len(head) >= PROBE_BYTES for head in self._heads.values())

    def _ask(self, side: Side, head: bytes) -> bool:
        """Ask those who are left, in order; True when that decides it, for `_sure` or for nobody."""
        left: list[StreamProtocol] = []
        first = head[0]
        place = side is _SERVER
        for protocol in self._candidates:
            match = protocol.probe(side, head) if first in protocol.starts[place] else NO
            if match is NO:
                if protocol is self._sure:
                    self._sure = None
                continue
            if match is YES and (self._sure is None or self._sure not in left):
                self._sure = protocol
                if not left:
                    return True
            left.append(protocol)
        self._candidates = left
        return not left or left[0] is self._sure


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
