"""The SSH parser: identification and KEXINIT of both sides, then only sizes."""

from functools import lru_cache

from lapwing.events import FlowKey, Message, Side, WireError
from lapwing.events.messages import SshAuthUnanswered, SshBanner
from lapwing.protocols.contract import MORE, NO, PATIENCE_NS, YES, Match, StreamProtocol
from lapwing.protocols.ssh.clear import ClearSide
from lapwing.protocols.ssh.kexinit import MAX_REMEMBERED, MAX_REMEMBERED_BYTES, agree, offer_of, read_offer
from lapwing.protocols.ssh.outcome import LoginWatch
from lapwing.protocols.ssh.sizes import Framing, framing

_CLIENT = Side.CLIENT
_PREFIX = b"SSH-"
_STARTS = (b"S", b"\t\r\n" + bytes(range(0x20, 0x7F)))  # a server may send other lines first


def probe(side: Side, head: bytes) -> Match:
    """Tell SSH by the identification string; a server may send other lines before it."""
    if head.startswith(_PREFIX):
        return YES
    if _PREFIX.startswith(head):
        return MORE
    if side is _CLIENT:
        return NO
    before, found, _ = head.partition(b"\nSSH-")
    if not (before.isascii() and before.translate(None, b"\t\r\n").decode("ascii").isprintable()):
        return NO
    return YES if found else MORE


def _ways(client_offer: bytes, server_offer: bytes) -> tuple[Framing, Framing] | None:
    """How the packets of client and server look by what both offered; None where that is not known."""
    client, server = read_offer(client_offer, of_client=True), read_offer(server_offer, of_client=False)
    of_client, of_server = (framing(agree(client, server, side)) for side in (_CLIENT, Side.SERVER))
    return None if of_client is None or of_server is None else (of_client, of_server)


_remembered_ways = lru_cache(maxsize=MAX_REMEMBERED)(_ways)


class SshParser:
    """Reads one connection; done when its login is decided or cannot be followed. A WakingParser."""

    __slots__ = ("_asked_ns", "_client", "_client_offer", "_server", "_server_offer", "_told", "_watch", "done",
                 "next_wakeup_ns", "patience_ns", "poisoned")  # fmt: skip

    def __init__(self) -> None:
        self.poisoned: str | None = None
        self.done = False
        self._client = ClearSide(_CLIENT)
        self._server = ClearSide(Side.SERVER)
        self._client_offer = b""  # of KEXINIT; empty until it came
        self._server_offer = b""
        self._watch: LoginWatch | None = None
        self.patience_ns = PATIENCE_NS
        self.next_wakeup_ns: int | None = None
        self._asked_ns = 0  # when the client spoke last after encryption
        self._told = False  # that its turn has no answer

    @property
    def held_bytes(self) -> int:
        """Bytes held of both sides."""
        return self._client.held_bytes + self._server.held_bytes

    def feed(self, side: Side, data: bytes, now_ns: int) -> list[Message]:
        """Take the next bytes of `side`."""
        reader = self._client if side is _CLIENT else self._server
        if reader.encrypted:
            messages = self._encrypted(side, data, now_ns)
        else:
            messages = self._clear(side, reader.push(data))
            if reader.encrypted and self.poisoned is None:
                messages += self._encrypted(side, reader.rest, now_ns)
                reader.rest = b""
            if self.poisoned is None:
                self.poisoned = reader.error
        self._settle()
        return messages

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> list[Message]:
        """After encryption only the number of bytes matters; before it a gap mostly ends what can be read."""
        reader = self._client if side is _CLIENT else self._server
        messages: list[Message] = []
        if reader.encrypted:
            if self._watch is not None:
                messages += self._watch.gap(side, missing_bytes)
                self._wait(side, now_ns)
        else:
            reader.gap(missing_bytes)
        self._settle()
        return messages

    def tick(self, now_ns: int) -> list[Message]:
        """Tell that the server says nothing to a login, once for each turn of the client."""
        self.next_wakeup_ns = None
        mechanism = None if self._watch is None else self._watch.awaited()
        if mechanism is None:
            return []
        self._told = True
        return [SshAuthUnanswered(self._asked_ns, mechanism)]

    def close(self, side: Side, reason: str, now_ns: int) -> list[Message]:
        """Judge the last turn."""
        return [] if self._watch is None else [*self._watch.close(side, reason)]

    def _clear(self, side: Side, found: list[str | bytes]) -> list[Message]:
        messages: list[Message] = []
        for item in found:
            if isinstance(item, str):
                messages.append(SshBanner(item))
                continue
            offer = offer_of(item)
            try:
                messages.append(read_offer(offer, of_client=side is _CLIENT))
            except WireError as error:
                self.poisoned = str(error)
                break
            if side is _CLIENT:
                self._client_offer = offer
            else:
                self._server_offer = offer
        return messages

    def _encrypted(self, side: Side, data: bytes, now_ns: int) -> list[Message]:
        if self._watch is None:
            self._watch = self._start_watch()
        if self._watch is None or not data:
            return []
        messages: list[Message] = [*self._watch.feed(side, data)]
        self._wait(side, now_ns)
        return messages

    def _wait(self, side: Side, now_ns: int) -> None:
        """It is the other side's turn: the server's answer is waited for, the client takes the time it likes."""
        if side is not _CLIENT:
            self.next_wakeup_ns = None
            self._told = False
        elif not self._told:
            self._asked_ns = now_ns
            self.next_wakeup_ns = now_ns + self.patience_ns

    def _start_watch(self) -> LoginWatch | None:
        if not self._client_offer or not self._server_offer:
            return None
        held_bytes = len(self._client_offer) + len(self._server_offer)
        look = _remembered_ways if held_bytes <= MAX_REMEMBERED_BYTES else _ways
        ways = look(self._client_offer, self._server_offer)
        return None if ways is None else LoginWatch(*ways, self._client.banner or "")

    def _settle(self) -> None:
        """Stop reading where nothing more can be learnt."""
        client, server = self._client, self._server
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
