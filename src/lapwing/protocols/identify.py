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
What a client sends is no proof against its server, or it could hide: where the server has said YES, the client's NO
does not count, and a protocol whose `server_decides` is only put aside by it, until the server speaks.
"""

from collections.abc import Callable, Iterable, Sequence

from lapwing.events import IdentifiedBy, Side
from lapwing.protocols.contract import MORE, NO, PROBE_BYTES, YES, DatagramProtocol, Match, StreamProtocol

MAX_UNDECIDED_BYTES = 8 * 1024  # of both sides; who has not shown a protocol by then is taken by port or given up
MAX_ASIDE_BYTES = 2 * 1024  # of a client that speaks nothing known, while its server is silent: garbage is shorter

Probe = Callable[[Side, bytes], Match]

# Members of enums under names of this module, as in `contract`.
_SERVER = Side.SERVER
_BY_CONTENT = IdentifiedBy.CONTENT
_BY_PORT = IdentifiedBy.PORT


class FirstLook:
    """Who may speak after a first byte, worked out once for all flows; most of them it decides alone.

    `datagrams` has for each first byte those of the datagram protocols that may begin with it.
    """

    __slots__ = ("_datagrams", "_every_datagram", "_orders", "_ports", "_probes", "_server_decides", "_streams")

    def __init__(self, streams: Iterable[StreamProtocol], datagrams: Iterable[DatagramProtocol] = ()) -> None:
        self._streams = tuple(streams)
        # Probes and ports stand beside their protocols: to take them out of it for each flow would cost as much again.
        self._every_datagram = tuple((one.probe, one.ports, one.starts, one) for one in datagrams)
        self._datagrams = [tuple(one for one in self._every_datagram if byte in one[2]) for byte in range(256)]
        self._ports = frozenset(port for protocol in self._streams for port in protocol.ports)
        self._server_decides = any(protocol.server_decides for protocol in self._streams)
        # By port (-1: of nobody), side and byte; as many as ports of protocols times 512 at most.
        self._orders: dict[int, tuple[StreamProtocol, ...]] = {}
        self._probes: dict[int, tuple[tuple[Probe, StreamProtocol], ...]] = {}

    def order(self, place: int, byte: int, port: int) -> tuple[StreamProtocol, ...]:
        """Return those that can begin with `byte` on the side at `place`, the ones on their own port first."""
        number = self._number(place, byte, port)
        order = self._orders.get(number)
        if order is None:
            order = self._orders[number] = self._ordered(place, byte, port)
        return order

    def _number(self, place: int, byte: int, port: int) -> int:
        return (port if port in self._ports else -1) << 9 | place << 8 | byte

    def _ordered(self, place: int, byte: int, port: int) -> tuple[StreamProtocol, ...]:
        able = [protocol for protocol in self._streams if byte in protocol.starts[place]]
        return tuple(sorted(able, key=lambda protocol: port not in protocol.ports))

    def stream(self, side: Side, data: bytes, port: int) -> StreamProtocol | bool:
        """Look at the first bytes of a flow; the protocol when they decide it, else whether more could."""
        head = data if len(data) <= PROBE_BYTES else data[:PROBE_BYTES]
        place = 1 if side is _SERVER else 0
        number = self._number(place, data[0], port)
        probes = self._probes.get(number)
        if probes is None:
            probes = self._probes[number] = _with_probes(self.order(place, data[0], port))
        for probe, protocol in probes:
            match = probe(side, head)
            if match is YES:
                return protocol
            if match is MORE:
                return True
        return self._server_decides and side is not _SERVER

    def aside(self, byte: int) -> list[StreamProtocol]:
        """Return those that a client does not begin so, for their server to decide."""
        return [one for one in self._streams if one.server_decides and byte not in one.starts[0]]

    def datagram(self, side: Side, datagram: bytes, port: int) -> DatagramProtocol | None:
        """Return the protocol whose probe recognises `datagram`: the one on its port, else the first; None for none."""
        chosen = None
        among = self._datagrams[datagram[0]] if datagram else self._every_datagram
        for probe, ports, _, protocol in among:
            if probe(side, datagram) is YES:
                if port in ports:
                    return protocol
                chosen = chosen or protocol
        return chosen


def _with_probes(protocols: Iterable[StreamProtocol]) -> tuple[tuple[Probe, StreamProtocol], ...]:
    return tuple((one.probe, one) for one in protocols)


class StreamIdentifier:
    """Chooses the protocol of one flow from the first bytes of its sides.

    While `feed` returns None and `hopeless` is False the caller keeps what it fed, at most MAX_UNDECIDED_BYTES and one
    segment, and hands it to the parser once there is one. `evidence` says what the choice rests on, None before it.
    """

    __slots__ = (
        "_aside",
        "_candidates",
        "_client_head",
        "_first_look",
        "_port",
        "_seen_bytes",
        "_server_head",
        "_sure",
        "evidence",
        "hopeless",
    )

    def __init__(self, server_port: int, first_look: FirstLook) -> None:
        self.hopeless = False
        self.evidence: IdentifiedBy | None = None
        self._port = server_port
        self._first_look = first_look
        self._candidates: Sequence[StreamProtocol] = ()
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
            seen = len(head)
            head += data[: PROBE_BYTES - seen]
            if not (self._client_head or self._server_head):
                self._candidates = self._first_look.order(1 if side is _SERVER else 0, head[0], self._port)
                if side is not _SERVER:
                    self._aside = self._first_look.aside(head[0])
            if side is _SERVER:
                if self._aside:
                    self._candidates = [*self._candidates, *self._aside]
                    self._aside = []
                self._server_head = head
            else:
                self._client_head = head
            # Whom one side has shown may be contradicted by the other: then the first byte that decides does.
            for end in range(len(head) if self._sure is None else seen + 1, len(head) + 1):
                if self._ask(side, head[:end]):
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

    def _ask(self, side: Side, head: bytes) -> bool:
        """Ask those who are left, in order; True when that decides it, for `_sure` or for nobody."""
        left: list[StreamProtocol] = []
        first = head[0]
        place = side is _SERVER
        for protocol in self._candidates:
            match = protocol.probe(side, head) if first in protocol.starts[place] else NO
            if match is NO:
                if place or not self._may_stay(protocol):
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

    def _may_stay(self, protocol: StreamProtocol) -> bool:
        """Whether what a client sends, which is none of `protocol`, leaves it possible: its server is believed."""
        if protocol.server_decides:
            return True
        return protocol is self._sure and bool(self._server_head) and protocol.probe(_SERVER, self._server_head) is YES
