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

from lapwing.events import FlowKey, IdentifiedBy, Side
from lapwing.protocols.contract import PROBE_BYTES, DatagramProtocol, Match, StreamProtocol

MAX_UNDECIDED_BYTES = 8 * 1024  # of both sides; who has not shown a protocol by then is taken by port or given up


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
        self._sure: StreamProtocol | None = None  # said YES, while one before it says MORE
        self._heads: dict[Side, bytes] = {}
        self._seen_bytes = 0

    def feed(self, side: Side, data: bytes) -> StreamProtocol | None:
        """Look at the next bytes of `side`; return the protocol when they decide it."""
        head = self._heads.get(side, b"")
        self._seen_bytes += len(data)
        if len(head) < PROBE_BYTES and data:
            head = self._heads[side] = (head + data)[:PROBE_BYTES]
            if self._ask(side, head):
                return self._choose(self._sure, IdentifiedBy.CONTENT)
        if self._seen_bytes >= MAX_UNDECIDED_BYTES or self._saw_both():
            return self.settle()
        return None

    def settle(self) -> StreamProtocol | None:
        """Decide with what was seen, as nothing more will come; None when the flow is hopeless."""
        if self._sure is not None:
            return self._choose(self._sure, IdentifiedBy.CONTENT)
        on_port = (protocol for protocol in self._candidates if self._heads and self._port in protocol.ports)
        return self._choose(next(on_port, None), IdentifiedBy.PORT)

    def _choose(self, protocol: StreamProtocol | None, evidence: IdentifiedBy) -> StreamProtocol | None:
        self.hopeless = protocol is None
        self.evidence = None if protocol is None else evidence
        return protocol

    def _saw_both(self) -> bool:
        return len(self._heads) == 2 and all(len(head) >= PROBE_BYTES for head in self._heads.values())

    def _ask(self, side: Side, head: bytes) -> bool:
        """Ask all who are left; True when that decides it, for `_sure` or for nobody."""
        first = sure = None
        left = []
        for protocol in self._candidates:
            match = protocol.probe(side, head)
            if match is Match.NO:
                continue
            left.append(protocol)
            on_port = self._port in protocol.ports
            if first is None or (on_port and self._port not in first.ports):
                first = protocol
            if match is Match.YES and (sure is None or (on_port and self._port not in sure.ports)):
                sure = protocol
        self._candidates = left
        self._sure = sure or (self._sure if self._sure in left else None)
        return first is None or first is self._sure


def identify_datagram(
    side: Side, datagram: bytes, key: FlowKey, protocols: Iterable[DatagramProtocol]
) -> DatagramProtocol | None:
    """Return the protocol whose probe recognises `datagram`: the one on its port, else the first; None for none."""
    chosen = None
    for protocol in protocols:
        if protocol.probe(side, datagram) is Match.YES:
            if key.server_port in protocol.ports:
                return protocol
            chosen = chosen or protocol
    return chosen
