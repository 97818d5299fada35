"""The tree of a filter expression to a classic BPF program for one link type, matching what libpcap's would match."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network

import numpy as np
from numpy.typing import NDArray

from lapwing.wire.filter.expression import (
    Address,
    Both,
    Either,
    FilterError,
    Node,
    Not,
    Port,
    Protocol,
    Vlan,
    parse,
)
from lapwing.wire.filter.program import Instruction, program_of

LOAD_WORD, LOAD_HALF, LOAD_BYTE = 0x20, 0x28, 0x30
LOAD_HALF_INDEXED, LOAD_IP_HEADER_LENGTH, LOAD_LENGTH = 0x48, 0xB1, 0x80
AND = 0x54
EQUAL, GREATER, AT_LEAST, ANY_BIT = 0x15, 0x25, 0x35, 0x45
RETURN, JUMP = 0x06, 0x05

ACCEPT_BYTES = 0x40000  # what a program returns for a packet it wants; anything but 0 will do
IPV4, IPV6, ARP, RARP = 0x0800, 0x86DD, 0x0806, 0x8035
VLAN_TYPES = (0x8100, 0x88A8, 0x9100)
NUMBERS = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "icmp6": 58}
WITH_PORTS = ("tcp", "udp", "sctp")

# Link types with a type field: where it stands and where the network header begins.
_TYPED_LINKS = {1: (12, 14), 113: (14, 16), 276: (0, 20)}
_RAW_LINKS = frozenset({101, 12, 14})
_NULL_LINKS = frozenset({0, 108})
_NULL_FAMILIES = {IPV4: (2,), IPV6: (10, 24, 28, 30)}
_FIXED_LINKS = {228: IPV4, 229: IPV6}


@dataclass(slots=True)
class _Label:
    """A place in the program that is not known yet."""

    place: int = -1


@dataclass(slots=True)
class _Draft:
    code: int
    k: int
    on_true: _Label | None = None
    on_false: _Label | None = None


@dataclass(slots=True)
class _Generator:
    """Emits code for a tree: every test leaves to one of two labels, both further down."""

    link_type: int
    tag_bytes: int = 0  # VLAN tags walked so far, in bytes
    code: list[_Draft] = field(default_factory=list)

    def node(self, node: Node, yes: _Label, no: _Label) -> None:
        if isinstance(node, Not):
            self.node(node.operand, no, yes)
        elif isinstance(node, Both):
            self.all_of([node.left, node.right], yes, no)
        elif isinstance(node, Either):
            self.any_of([node.left, node.right], yes, no)
        elif isinstance(node, Protocol):
            self.protocol(node.name, yes, no)
        elif isinstance(node, Address):
            self.address(node, yes, no)
        elif isinstance(node, Port):
            self.port(node, yes, no)
        elif isinstance(node, Vlan):
            self.vlan(node, yes, no)
        else:
            self.load(LOAD_LENGTH, 0)
            if node.at_most:
                self.test(GREATER, node.limit, no, yes)
            else:
                self.test(AT_LEAST, node.limit, yes, no)

    def all_of(self, nodes: Sequence[Node], yes: _Label, no: _Label) -> None:
        for node in nodes[:-1]:
            further = _Label()
            self.node(node, further, no)
            self.mark(further)
        self.node(nodes[-1], yes, no)

    def any_of(self, nodes: Sequence[Node], yes: _Label, no: _Label) -> None:
        for node in nodes[:-1]:
            further = _Label()
            self.node(node, yes, further)
            self.mark(further)
        self.node(nodes[-1], yes, no)

    def load(self, code: int, k: int) -> None:
        self.code.append(_Draft(code, k))

    def test(self, code: int, k: int, yes: _Label, no: _Label) -> None:
        self.code.append(_Draft(code, k, yes, no))

    def go(self, where: _Label) -> None:
        self.code.append(_Draft(JUMP, 0, where))

    def mark(self, label: _Label) -> None:
        label.place = len(self.code)

    def one_of(self, values: Sequence[int], yes: _Label, no: _Label) -> None:
        """Whether the accumulator is one of the values."""
        for value in values[:-1]:
            further = _Label()
            self.test(EQUAL, value, yes, further)
            self.mark(further)
        self.test(EQUAL, values[-1], yes, no)

    @property
    def network(self) -> int:
        """Where the network header begins."""
        if self.link_type in _TYPED_LINKS:
            return _TYPED_LINKS[self.link_type][1] + self.tag_bytes
        return 4 if self.link_type in _NULL_LINKS else 0

    def ethertype(self, kind: int, yes: _Label, no: _Label) -> None:
        """Whether the network header is of this kind."""
        if self.link_type in _TYPED_LINKS:
            position, network = _TYPED_LINKS[self.link_type]
            self.load(LOAD_HALF, network - 2 + self.tag_bytes if self.tag_bytes else position)
            self.test(EQUAL, kind, yes, no)
        elif self.link_type in _NULL_LINKS and kind in _NULL_FAMILIES:
            self.load(LOAD_WORD, 0)
            families = _NULL_FAMILIES[kind]
            swapped = [int.from_bytes(number.to_bytes(4, "little"), "big") for number in families]
            self.one_of([*families, *swapped], yes, no)
        elif self.link_type in _RAW_LINKS and kind in {IPV4, IPV6}:
            self.load(LOAD_BYTE, 0)
            self.load(AND, 0xF0)
            self.test(EQUAL, 0x40 if kind == IPV4 else 0x60, yes, no)
        else:
            self.go(yes if _FIXED_LINKS.get(self.link_type) == kind else no)

    def protocol(self, name: str, yes: _Label, no: _Label) -> None:
        kinds = {"ip": IPV4, "ip6": IPV6, "arp": ARP}
        if name in kinds:
            self.ethertype(kinds[name], yes, no)
            return
        version6, version4 = _Label(), _Label()
        self.ethertype(IPV6, version6, version4)
        self.mark(version6)
        self.next_header((NUMBERS[name],) if name != "icmp" else (), yes, no)
        self.mark(version4)
        inside = _Label()
        self.ethertype(IPV4, inside, no)
        self.mark(inside)
        self.load(LOAD_BYTE, self.network + 9)
        self.one_of((NUMBERS[name],), *((yes, no) if name != "icmp6" else (no, no)))

    def next_header(self, numbers: Sequence[int], yes: _Label, no: _Label) -> None:
        """Whether an IPv6 packet carries one of the protocols, directly or behind a fragment header."""
        if not numbers:
            self.go(no)
            return
        other, fragment = _Label(), _Label()
        self.load(LOAD_BYTE, self.network + 6)
        self.one_of(numbers, yes, other)
        self.mark(other)
        self.test(EQUAL, 44, fragment, no)
        self.mark(fragment)
        self.load(LOAD_BYTE, self.network + 40)
        self.one_of(numbers, yes, no)

    def address(self, node: Address, yes: _Label, no: _Label) -> None:
        if not isinstance(node.network, IPv4Network):
            inside = _Label()
            self.ethertype(IPV6, inside, no)
            self.mark(inside)
            self.endpoints(node, 8, 24, yes, no)
            return
        places = {IPV4: (12, 16), ARP: (14, 24), RARP: (14, 24)}
        kinds = {"ip": (IPV4,), "arp": (ARP,), "": (IPV4, ARP, RARP)}[node.protocol]
        for kind in kinds:
            inside, further = _Label(), _Label()
            self.ethertype(kind, inside, further)
            self.mark(inside)
            self.endpoints(node, *places[kind], yes, no)
            self.mark(further)
        self.go(no)

    def endpoints(self, node: Address, src: int, dst: int, yes: _Label, no: _Label) -> None:
        """Source and destination fields at these offsets of the network header."""
        further = _Label()
        if node.direction in {"either", "both"}:
            self.field(node, src, *((yes, further) if node.direction == "either" else (further, no)))
            self.mark(further)
        self.field(node, src if node.direction == "src" else dst, yes, no)

    def field(self, node: Address, position: int, yes: _Label, no: _Label) -> None:
        address, mask = node.network.network_address.packed, node.network.netmask.packed
        for at in range(0, len(address), 4):
            wanted, bits = int.from_bytes(address[at : at + 4], "big"), int.from_bytes(mask[at : at + 4], "big")
            if not bits:
                break
            self.load(LOAD_WORD, self.network + position + at)
            if bits != 0xFFFFFFFF:
                self.load(AND, bits)
            further = _Label()
            self.test(EQUAL, wanted, further, no)
            self.mark(further)
        self.go(yes)

    def port(self, node: Port, yes: _Label, no: _Label) -> None:
        numbers = [NUMBERS[name] for name in WITH_PORTS if node.protocol in {"", name}]
        version6, other, version4 = _Label(), _Label(), _Label()
        self.ethertype(IPV6, version6, other)
        self.mark(version6)
        inside = _Label()
        self.load(LOAD_BYTE, self.network + 6)
        self.one_of(numbers, inside, no)
        self.mark(inside)
        self.ports(node, LOAD_HALF, self.network + 40, yes, no)
        self.mark(other)
        self.ethertype(IPV4, version4, no)
        self.mark(version4)
        inside, whole = _Label(), _Label()
        self.load(LOAD_BYTE, self.network + 9)
        self.one_of(numbers, inside, no)
        self.mark(inside)
        self.load(LOAD_HALF, self.network + 6)
        self.test(ANY_BIT, 0x1FFF, no, whole)
        self.mark(whole)
        self.load(LOAD_IP_HEADER_LENGTH, self.network)
        self.ports(node, LOAD_HALF_INDEXED, self.network, yes, no)

    def ports(self, node: Port, code: int, position: int, yes: _Label, no: _Label) -> None:
        further = _Label()
        if node.direction in {"either", "both"}:
            self.load(code, position)
            self.between(node, *((yes, further) if node.direction == "either" else (further, no)))
            self.mark(further)
        self.load(code, position if node.direction == "src" else position + 2)
        self.between(node, yes, no)

    def between(self, node: Port, yes: _Label, no: _Label) -> None:
        if node.first == node.last:
            self.test(EQUAL, node.first, yes, no)
            return
        high_enough = _Label()
        self.test(AT_LEAST, node.first, high_enough, no)
        self.mark(high_enough)
        self.test(GREATER, node.last, no, yes)

    def vlan(self, node: Vlan, yes: _Label, no: _Label) -> None:
        if self.link_type not in _TYPED_LINKS:
            raise FilterError(f"link type {self.link_type} carries no VLAN tags", 1)
        position, network = _TYPED_LINKS[self.link_type]
        self.load(LOAD_HALF, network - 2 + self.tag_bytes if self.tag_bytes else position)
        tagged = _Label()
        self.one_of(VLAN_TYPES, tagged, no)
        self.mark(tagged)
        if node.number is not None:
            self.load(LOAD_HALF, self.network)
            self.load(AND, 0x0FFF)
            self.test(EQUAL, node.number, yes, no)
        else:
            self.go(yes)
        self.tag_bytes += 4  # as in pcap-filter: everything to the right looks behind the tag


def compile_filter(text: str, link_type: int) -> NDArray[np.void]:
    """The program for an expression on packets of a link type (as in capture files).

    Understood are host, net, port, portrange with src and dst, tcp, udp, sctp, icmp, icmp6, ip, ip6, arp, vlan, less,
    greater, and, or, not and parentheses. Raises FilterError with the position for anything else.
    """
    if link_type not in {*_TYPED_LINKS, *_RAW_LINKS, *_NULL_LINKS, *_FIXED_LINKS}:
        raise FilterError(f"filters on link type {link_type} need libpcap", 1)
    generator = _Generator(link_type)
    yes, no = _Label(), _Label()
    generator.node(parse(text), yes, no)
    generator.mark(yes)
    generator.load(RETURN, ACCEPT_BYTES)
    generator.mark(no)
    generator.load(RETURN, 0)
    return program_of([_resolved(draft, place) for place, draft in enumerate(generator.code)])


def _resolved(draft: _Draft, place: int) -> Instruction:
    """The instruction with its jumps counted from the next one."""
    yes = draft.on_true.place - place - 1 if draft.on_true else 0
    no = draft.on_false.place - place - 1 if draft.on_false else 0
    if draft.code == JUMP:
        return Instruction(JUMP, 0, 0, yes)
    if max(yes, no) > 255:
        raise FilterError("the expression is too long for the built-in compiler; install libpcap", 1)
    return Instruction(draft.code, yes, no, draft.k)
