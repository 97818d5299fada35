"""The SSH parser: identification and KEXINIT of both sides, then only sizes."""

from collections.abc import Iterator

from lapwing.events import FlowKey, Message, Side, WireError
from lapwing.events.messages import SshBanner, SshKexInit
from lapwing.protocols.contract import MORE, NO, YES, Match, StreamProtocol
from lapwing.protocols.ssh.clear import ClearSide
from lapwing.protocols.ssh.kexinit import agree, parse_kexinit
from lapwing.protocols.ssh.outcome import LoginWatch
from lapwing.protocols.ssh.sizes import framing

_PREFIX = b"SSH-"
_STARTS = (b"S", b"\t\r\n" + bytes(range(0x20, 0x7F)))  # a server may send other lines first


def probe(side: Side, head: bytes) -> Match:
    """Tell SSH by the identification string; a server may send other lines before it."""
    if head.startswith(_PREFIX):
        return YES
    if _PREFIX.startswith(head):
        return MORE
    if side is Side.CLIENT:
        return NO
    before, found, _ = head.partition(b"\nSSH-")
    if not (before.isascii() and before.translate(None, b"\t\r\n").decode("ascii").isprintable()):
        return NO
    return YES if found else MORE


class SshParser:
    """Reads one connection; done when its login is decided or cannot be followed."""

    def __init__(self) -> None:
        self.poisoned: str | None = None
        self.done = False
        self._sides = {side: ClearSide(side) for side in Side}
        self._pair = (self._sides[Side.CLIENT], self._sides[Side.SERVER])
        self._offers: dict[Side, SshKexInit] = {}
        self._watch: LoginWatch | None = None

    @property
    def held_bytes(self) -> int:
        """Bytes held of both sides."""
        return sum(side.held_bytes for side in self._sides.values())

    def feed(self, side: Side, data: bytes, now_ns: int) -> list[Message]:
        """Take the next bytes of `side`."""
        reader = self._sides[side]
        messages: list[Message] = []
        if reader.encrypted:
            messages += self._encrypted(side, data)
        else:
            messages += self._clear(side, reader.push(data))
            if reader.encrypted and not self.poisoned:
                messages += self._encrypted(side, reader.rest)
                reader.rest = b""
            self.poisoned = self.poisoned or reader.error
        self._settle()
        return messages

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> list[Message]:
        """After encryption only the number of bytes matters; before it a gap mostly ends what can be read."""
        reader = self._sides[side]
        messages: list[Message] = []
        if reader.encrypted:
            if self._watch is not None:
                messages += self._watch.gap(side, missing_bytes)
        else:
            reader.gap(missing_bytes)
        self._settle()
        return messages

    def close(self, side: Side, reason: str, now_ns: int) -> list[Message]:
        """Judge the last turn."""
        return [] if self._watch is None else list(self._watch.close(side, reason))

    def _clear(self, side: Side, found: Iterator[str | bytes]) -> Iterator[Message]:
        for item in found:
            if isinstance(item, str):
                yield SshBanner(item)
                continue
            try:
                offer = parse_kexinit(item, side)
            except WireError as error:
                self.poisoned = str(error)
                return
            self._offers[side] = offer
            yield offer

    def _encrypted(self, side: Side, data: bytes) -> Iterator[Message]:
        if self._watch is None:
            self._watch = self._start_watch()
        if self._watch is not None:
            yield from self._watch.feed(side, data)

    def _start_watch(self) -> LoginWatch | None:
        if len(self._offers) < len(Side):
            return None
        client, server = self._offers[Side.CLIENT], self._offers[Side.SERVER]
        ways = [framing(agree(client, server, side)) for side in (Side.CLIENT, Side.SERVER)]
        if ways[0] is None or ways[1] is None:
            return None
        return LoginWatch(ways[0], ways[1], self._sides[Side.CLIENT].banner or "")

    def _settle(self) -> None:
        """Stop reading where nothing more can be learnt."""
        client, server = self._pair
        if self._watch is not None:  # for which both sides spoke version 2
            self.done = self._watch.done or client.lost or server.lost
        elif client.is_version_1 or server.is_version_1:
            self.done = client.banner is not None and server.banner is not None
        else:
            self.done = (client.encrypted or client.lost) and (server.encrypted or server.lost)


def make(key: FlowKey) -> SshParser:
    """Make the parser of one flow."""
    return SshParser()


SSH = StreamProtocol(name="ssh", ports=frozenset({22}), probe=probe, make=make, starts=_STARTS)
