"""Filter expressions: text to a tree. The common part of the pcap-filter language."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network

MAX_DEPTH = 50  # of parentheses and negations; deeper is no filter a person writes
PROTOCOLS = ("ip", "ip6", "arp", "tcp", "udp", "sctp", "icmp", "icmp6")
KINDS = ("host", "net", "port", "portrange")
KEYWORDS = frozenset({*PROTOCOLS, *KINDS, "src", "dst", "vlan", "less", "greater", "and", "or", "not"})

_TOKEN = re.compile(r"\s*(?:(&&|\|\||[()!])|([^\s()!&|]+)|(\S))")
_SYNONYMS = {"&&": "and", "||": "or", "!": "not"}


class FilterError(ValueError):
    """The expression cannot be compiled; `position` is the column it was noticed at, from 1."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class Not:
    """The other way round."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class Both:
    """Left and right."""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Either:
    """Left or right."""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Address:
    """A network, or a host as one of full length."""

    network: IPv4Network | IPv6Network
    direction: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Port:
    """A range of ports, both ends included."""

    first: int
    last: int
    direction: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Vlan:
    """A VLAN tag, with this id when one is named; what follows looks behind the tag."""

    number: int | None


@dataclass(frozen=True, slots=True)
class Length:
    """Frames of at most, or at least, so many bytes on the wire."""

    limit: int
    at_most: bool


Node = Not | Both | Either | Protocol | Address | Port | Vlan | Length


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class _Qualifiers:
    direction: str = "either"  # src, dst, either, both
    kind: str = ""
    protocol: str = ""


def parse(text: str) -> Node:
    """The tree of an expression. Raises FilterError with the position."""
    parser = _Parser(text)
    node = parser.alternatives(0)
    parser.expect_end()
    return node


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while match := _TOKEN.match(text, position):
        start = match.start(match.lastindex or 0)
        if match.group(3):
            raise FilterError(f"unexpected {match.group(3)!r}", start + 1)
        word = match.group(1) or match.group(2)
        yield _Token(_SYNONYMS.get(word, word), start + 1)
        position = match.end()
    yield _Token("", len(text) + 1)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._index = 0
        self._last = _Qualifiers()

    def alternatives(self, depth: int) -> Node:
        """`and` and `or` bind alike, from the left, as in pcap-filter."""
        node = self._operand(depth)
        while self._here.text in {"and", "or"}:
            joined = Both if self._next().text == "and" else Either
            node = joined(node, self._operand(depth))
        return node

    def expect_end(self) -> None:
        """Refuse what is left over."""
        if self._here.text:
            raise self._error("'and', 'or' or the end")

    @property
    def _here(self) -> _Token:
        return self._tokens[self._index]

    def _next(self) -> _Token:
        token = self._here
        self._index += bool(token.text)
        return token

    def _error(self, wanted: str) -> FilterError:
        found = repr(self._here.text) if self._here.text else "the end"
        return FilterError(f"expected {wanted}, found {found}", self._here.position)

    def _operand(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise FilterError(f"nested deeper than {MAX_DEPTH}", self._here.position)
        if self._here.text == "not":
            self._next()
            return Not(self._operand(depth + 1))
        if self._here.text == "(":
            self._next()
            node = self.alternatives(depth + 1)
            if self._here.text != ")":
                raise self._error("')'")
            self._next()
            return node
        return self._primitive()

    def _primitive(self) -> Node:
        word = self._here.text
        if word == "vlan":
            self._next()
            return Vlan(self._number(0, 4095) if self._here.text.isdigit() else None)
        if word in {"less", "greater"}:
            self._next()
            return Length(self._number(0, 2**31), word == "less")
        if word and word not in KEYWORDS and word != ")":
            return self._identifier(self._last)  # `port 80 or 443`: the words before still hold
        protocol = self._next().text if word in PROTOCOLS else ""
        direction = self._direction()
        kind = self._next().text if self._here.text in KINDS else ""
        if protocol and not direction and not kind:
            return Protocol(protocol)
        if not direction and not kind:
            raise self._error("a filter such as 'host', 'net', 'port', 'tcp', 'vlan'")
        self._last = _Qualifiers(direction or "either", kind or "host", protocol)
        return self._identifier(self._last)

    def _direction(self) -> str:
        if self._here.text not in {"src", "dst"}:
            return ""
        first = self._next().text
        following = [token.text for token in self._tokens[self._index : self._index + 2]]
        if (
            len(following) == 2
            and following[0] in {"and", "or"}
            and following[1] in {"src", "dst"}
            and first != following[1]
        ):
            self._index += 2
            return "both" if following[0] == "and" else "either"
        return first

    def _identifier(self, qualifiers: _Qualifiers) -> Node:
        if qualifiers.kind in {"port", "portrange"}:
            return self._port(qualifiers)
        if qualifiers.kind in {"host", "net"}:
            return self._address(qualifiers)
        raise self._error("a filter such as 'host', 'net', 'port', 'tcp', 'vlan'")

    def _port(self, qualifiers: _Qualifiers) -> Port:
        if qualifiers.protocol not in {"", "tcp", "udp", "sctp"}:
            raise FilterError(f"{qualifiers.protocol} has no ports", self._here.position)
        if qualifiers.kind == "port":
            first = last = self._number(0, 65535)
        else:
            match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", self._here.text)
            if not match or max(int(match[1]), int(match[2])) > 65535:
                raise self._error("a range of ports such as 8000-8080")
            first, last = sorted((int(match[1]), int(match[2])))
            self._next()
        return Port(first, last, qualifiers.direction, qualifiers.protocol)

    def _number(self, least: int, most: int) -> int:
        text = self._here.text
        if not re.fullmatch(r"\d{1,10}", text) or not least <= int(text) <= most:
            raise self._error(f"a number from {least} to {most}")
        return int(self._next().text)

    def _address(self, qualifiers: _Qualifiers) -> Address:
        network = self._network(qualifiers.kind)
        wanted = {"ip": 4, "arp": 4, "ip6": 6, "": network.version}
        if wanted.get(qualifiers.protocol) != network.version:
            raise FilterError(f"{qualifiers.protocol} and {self._here.text} do not go together", self._here.position)
        self._next()
        return Address(network, qualifiers.direction, qualifiers.protocol)

    def _network(self, kind: str) -> IPv4Network | IPv6Network:
        text = self._here.text
        try:
            if kind == "host":
                address = ip_address(text)
                return ip_network(address)
            if re.fullmatch(r"\d{1,3}(\.\d{1,3}){0,2}", text):
                octets = text.split(".")
                padded = ".".join(octets + ["0"] * (4 - len(octets)))
                return IPv4Network((IPv4Address(padded), 8 * len(octets)))
            return ip_network(text)
        except ValueError:
            wanted = "an address" if kind == "host" else "a network such as 192.0.2.0/24 without host bits"
            raise self._error(wanted) from None
