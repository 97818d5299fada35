"""What tunnels flows came in: chains of carriers under small numbers, so that a flow and a record hold only those.

A flow is that of the packets inside of tunnels. What was around them is looked at once for each of its sides.
"""

from lapwing.events import Carrier
from lapwing.flows.text import address_text, community_id
from lapwing.wire import CarrierHeader, carriers_of

MAX_CARRIERS = 65_536  # chains told apart with their ports, and as many again without; 500 bytes each
Chain = tuple[Carrier, ...]

_BY_HASH = frozenset({"vxlan", "geneve"})  # source port: made from the flow inside (RFC 7348, 5; RFC 8926, 3.3)
_Key = tuple[tuple[object, ...], ...]


class Carriers:
    """Gives chains of carriers numbers from 1 on; 0 stands for none. Bounded: what has no number left has the last."""

    def __init__(self) -> None:
        self._numbers: dict[_Key, int] = {}
        self._coarse: dict[_Key, int] = {}  # without ports that are hashes: when there are too many with them
        self._chains: list[Chain] = [()]
        self._flow_counts = [0]
        self.shared_count = 0  # flow sides whose carrier could get no number of its own

    def __len__(self) -> int:
        return len(self._chains) - 1

    def chain(self, number: int) -> Chain:
        """The carriers of that number, the outermost first; empty for 0."""
        return self._chains[number]

    def words(self, number: int) -> str:
        """The same as text, without ports, so that it can be grouped by."""
        return " / ".join(map(str, self._chains[number]))

    def number(self, frame: bytes, link_type: int, depth: int, *, opens: bool) -> int:
        """The number of what is around the packet in `frame`, which lies `depth` tunnels deep.

        `opens` says that it is the first of its flow. 0 when the frame does not show it: the whole datagram of
        fragments that were inside of a tunnel.
        """
        headers = carriers_of(frame, link_type, depth)
        if not headers:
            return 0
        number = self._number(headers)
        self._flow_counts[number] += opens
        return number

    def flow_counts(self) -> dict[str, int]:
        """How many flows each tunnel carried so far, by its words; what is in a tunnel in a tunnel counts for both."""
        counts: dict[str, int] = {}
        for chain, count in zip(self._chains, self._flow_counts, strict=True):
            for words in set(map(str, chain)):
                counts[words] = counts.get(words, 0) + count
        return counts

    def _number(self, headers: list[CarrierHeader]) -> int:
        key = tuple(_key(header, exact=True) for header in headers)
        number = self._numbers.get(key)
        if number is None and len(self._numbers) < MAX_CARRIERS:
            number = self._numbers[key] = self._add(headers)
        if number is not None:
            return number
        key = tuple(_key(header, exact=False) for header in headers)
        number = self._coarse.get(key)
        if number is None and len(self._coarse) < MAX_CARRIERS:
            number = self._coarse[key] = self._add(headers)
        if number is None:
            self.shared_count += 1
            return len(self._chains) - 1
        return number

    def _add(self, headers: list[CarrierHeader]) -> int:
        self._chains.append(tuple(_carrier(header) for header in headers))
        self._flow_counts.append(0)
        return len(self._chains) - 1


def _key(header: CarrierHeader, *, exact: bool) -> tuple[object, ...]:
    """The same for both directions."""
    source, target = header.source, header.target
    if not exact and header.kind in _BY_HASH:
        source, target = (*source[:2], 0), (*target[:2], 0)
    return (header.kind, header.protocol, min(source, target), max(source, target), header.number)


def _carrier(header: CarrierHeader) -> Carrier:
    version, protocol = header.ip_version, header.protocol
    (src_hi, src_lo, src_port), (dst_hi, dst_lo, dst_port) = header.source, header.target
    return Carrier(
        kind=header.kind,
        community_id=community_id(version, protocol, header.source, header.target),
        client_ip=address_text(version, src_hi, src_lo),
        client_port=src_port,
        server_ip=address_text(version, dst_hi, dst_lo),
        server_port=dst_port,
        number=header.number,
    )
