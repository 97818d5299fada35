"""WebSocket (RFC 6455), which begins as HTTP: the messages of both sides, counted and not looked into."""

from lapwing.events import FlowKey, Message, Side
from lapwing.events.messages.websocket import WebsocketClose, WebsocketMessage
from lapwing.protocols.contract import NO, Match, StreamProtocol

MAX_FRAME_BYTES = 1 << 40  # a longer one is no frame anybody sends
MAX_CONTROL_BYTES = 125  # RFC 6455, 5.5
MAX_HEADER_BYTES = 14

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_OPCODES = frozenset({_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG})
_CLIENT = Side.CLIENT


class _Frames:
    """One side. Holds at most a header, and the payload of a control frame."""

    __slots__ = ("compressed", "count", "held", "left", "lost", "opcode", "size")

    def __init__(self) -> None:
        self.held = b""
        self.left = 0  # bytes of a payload still to come, which nobody wants
        self.opcode = 0  # of the message that is coming, 0 between messages
        self.size = 0
        self.count = 0
        self.compressed = False
        self.lost = False


class WebsocketParser:
    """Messages of one connection; done when a hole hides where frames begin on both sides."""

    def __init__(self) -> None:
        self.poisoned: str | None = None
        self.done = False
        self._client = _Frames()
        self._server = _Frames()

    def feed(self, side: Side, data: bytes, now_ns: int) -> list[Message]:
        """Take the next bytes of `side`."""
        frames = self._client if side is _CLIENT else self._server
        messages: list[Message] = []
        while data and not frames.lost and self.poisoned is None:
            skipped = min(frames.left, len(data))
            frames.left -= skipped
            data = data[skipped:]
            if not data:
                break
            frames.held += data
            data = b""
            taken = self._header(side, frames, messages)
            if taken:
                data, frames.held = frames.held[taken:], b""
        return messages

    def gap(self, side: Side, missing_bytes: int, now_ns: int) -> list[Message]:
        """Inside a payload nothing is lost; elsewhere nobody knows where the next frame begins."""
        frames = self._client if side is _CLIENT else self._server
        frames.lost = frames.lost or bool(frames.held) or missing_bytes > frames.left
        frames.left -= min(missing_bytes, frames.left)
        self.done = self._client.lost and self._server.lost
        return []

    def close(self, side: Side, reason: str, now_ns: int) -> list[Message]:
        """Nothing is left to say."""
        return []

    @property
    def held_bytes(self) -> int:
        """Bytes held of headers and control frames."""
        return len(self._client.held) + len(self._server.held)

    def _header(self, side: Side, frames: _Frames, messages: list[Message]) -> int:
        """Read the frame that `held` begins with; returns how many bytes of it were used, 0 when more are needed."""
        held = frames.held
        if len(held) < 2:
            return 0
        opcode, masked, size = held[0] & 15, held[1] >> 7, held[1] & 0x7F
        if opcode not in _OPCODES or (opcode >= _CLOSE and (size > MAX_CONTROL_BYTES or not held[0] & 0x80)):
            self.poisoned = f"no WebSocket frame, from the {side}"
            return 0
        extra = {126: 2, 127: 8}.get(size, 0)
        start = 2 + extra + 4 * masked
        if len(held) < start:
            return 0
        if extra:
            size = int.from_bytes(held[2 : 2 + extra], "big")
        if size > MAX_FRAME_BYTES:
            self.poisoned = f"a frame of {size} bytes, from the {side}"
            return 0
        if opcode >= _CLOSE:
            return self._control(frames, opcode, start, size, masked, messages)
        self._data(frames, opcode, size, messages)
        frames.left = size
        return start

    def _control(
        self, frames: _Frames, opcode: int, start: int, size: int, masked: int, messages: list[Message]
    ) -> int:
        held = frames.held
        if len(held) < start + size:
            return 0
        if opcode == _CLOSE:
            code = None
            if size >= 2:
                key = held[start - 4 : start - 2] if masked else b"\0\0"
                code = (held[start] ^ key[0]) << 8 | held[start + 1] ^ key[1]
            messages.append(WebsocketClose(code))
        return start + size

    def _data(self, frames: _Frames, opcode: int, size: int, messages: list[Message]) -> None:
        if opcode != _CONTINUATION:
            frames.opcode, frames.size, frames.count = opcode, 0, 0
            frames.compressed = bool(frames.held[0] & 0x40)
        frames.size += size
        frames.count += 1
        if frames.held[0] & 0x80 and frames.opcode:
            word = "text" if frames.opcode == _TEXT else "binary"
            messages.append(WebsocketMessage(word, frames.size, frames.count, frames.compressed))
            frames.opcode = 0


def probe(side: Side, head: bytes) -> Match:
    """No first bytes tell: HTTP hands over (RFC 6455, 4)."""
    return NO


def make(key: FlowKey) -> WebsocketParser:
    """Make the parser of one flow."""
    return WebsocketParser()


WEBSOCKET = StreamProtocol("websocket", frozenset(), probe, make, starts=(b"", b""))
