"""Builds whole TCP conversations as timed frames, with control over sequence numbers, times and order."""

from collections.abc import Sequence
from typing import NamedTuple, Self

from lapwing.testing.packets import Address, TcpFlag, tcp_frame

START_NS = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
STEP_NS = 1_000_000  # 1 ms between frames unless told otherwise
MSS_BYTES = 1460


class TimedFrame(NamedTuple):
    """A frame with its capture time. `wire_bytes` is its length on the wire when the capture cut it."""

    ts_ns: int
    frame: bytes
    wire_bytes: int | None = None


class TcpConversation:
    """A TCP conversation that grows by calls; `frames` holds the result in order and may be edited freely.

    Sequence numbers advance by themselves. A frame left out, moved or repeated in `frames` gives loss, reordering or
    retransmission; `skip` lets a side's sequence advance without a frame.
    """

    def __init__(
        self,
        client: Address = "192.0.2.10",
        server: Address = "198.51.100.20",
        *,
        client_port: int = 40_000,
        server_port: int = 80,
        client_isn: int = 1_000,
        server_isn: int = 500_000,
        start_ns: int = START_NS,
        step_ns: int = STEP_NS,
        vlans: Sequence[int] = (),
    ) -> None:
        self.frames: list[TimedFrame] = []
        self.now_ns = start_ns
        self.step_ns = step_ns
        self._addresses = (client, server)
        self._ports = (client_port, server_port)
        self._next_seq = [client_isn, server_isn]
        self._vlans = tuple(vlans)

    def handshake(self) -> Self:
        """SYN, SYN-ACK, ACK."""
        self._emit(0, TcpFlag.SYN, ack=0)
        self._emit(1, TcpFlag.SYN | TcpFlag.ACK)
        return self._emit(0, TcpFlag.ACK)

    def client(self, data: bytes, *, mss: int = MSS_BYTES) -> Self:
        """The client sends `data` in segments of at most `mss` bytes."""
        return self._send(0, data, mss)

    def server(self, data: bytes, *, mss: int = MSS_BYTES) -> Self:
        """The server sends `data` in segments of at most `mss` bytes."""
        return self._send(1, data, mss)

    def client_ack(self) -> Self:
        """A pure ACK by the client."""
        return self._emit(0, TcpFlag.ACK)

    def server_ack(self) -> Self:
        """A pure ACK by the server."""
        return self._emit(1, TcpFlag.ACK)

    def client_fin(self) -> Self:
        """The client closes its side."""
        return self._emit(0, TcpFlag.FIN | TcpFlag.ACK)

    def server_fin(self) -> Self:
        """The server closes its side."""
        return self._emit(1, TcpFlag.FIN | TcpFlag.ACK)

    def client_rst(self) -> Self:
        """The client resets."""
        return self._emit(0, TcpFlag.RST | TcpFlag.ACK)

    def server_rst(self) -> Self:
        """The server resets."""
        return self._emit(1, TcpFlag.RST | TcpFlag.ACK)

    def close(self) -> Self:
        """FIN by the client, FIN by the server, last ACK."""
        self.client_fin()
        self.server_fin()
        return self.client_ack()

    def wait(self, duration_ns: int) -> Self:
        """The next frame comes this much later."""
        self.now_ns += duration_ns
        return self

    def skip(self, *, client: int = 0, server: int = 0) -> Self:
        """That many bytes of a side were sent but never captured."""
        self._next_seq[0] = (self._next_seq[0] + client) & 0xFFFFFFFF
        self._next_seq[1] = (self._next_seq[1] + server) & 0xFFFFFFFF
        return self

    def segment(
        self,
        *,
        from_client: bool,
        payload: bytes = b"",
        flags: int = TcpFlag.ACK,
        seq: int | None = None,
        ack: int | None = None,
        window: int = 65_535,
    ) -> Self:
        """One frame exactly as told; numbers not given are the next expected ones and nothing advances.

        For retransmissions, overlaps, keep-alives, probes and forged segments.
        """
        side = 0 if from_client else 1
        self._append(
            side,
            payload,
            flags=flags,
            seq=self._next_seq[side] if seq is None else seq,
            ack=self._next_seq[1 - side] if ack is None else ack,
            window=window,
        )
        return self

    def next_seq(self, *, from_client: bool) -> int:
        """The sequence number that side's next byte will have."""
        return self._next_seq[0 if from_client else 1]

    def _send(self, side: int, data: bytes, mss: int) -> Self:
        for start in range(0, len(data), mss):
            self._emit(side, TcpFlag.PSH | TcpFlag.ACK, data[start : start + mss])
        return self

    def _emit(self, side: int, flags: int, payload: bytes = b"", *, ack: int | None = None) -> Self:
        acknowledged = self._next_seq[1 - side] if ack is None else ack
        self._append(side, payload, flags=flags, seq=self._next_seq[side], ack=acknowledged)
        advance = len(payload) + bool(flags & TcpFlag.SYN) + bool(flags & TcpFlag.FIN)
        self._next_seq[side] = (self._next_seq[side] + advance) & 0xFFFFFFFF
        return self

    def _append(self, side: int, payload: bytes, *, flags: int, seq: int, ack: int, window: int = 65_535) -> None:
        frame = tcp_frame(
            self._addresses[side],
            self._ports[side],
            self._addresses[1 - side],
            self._ports[1 - side],
            payload,
            seq=seq,
            ack=ack,
            flags=flags,
            window=window,
            vlans=self._vlans,
        )
        self.frames.append(TimedFrame(self.now_ns, frame))
        self.now_ns += self.step_ns


def interleave(*conversations: TcpConversation) -> list[TimedFrame]:
    """The frames of several conversations in time order; equal times keep the order of the arguments."""
    frames = [frame for conversation in conversations for frame in conversation.frames]
    return sorted(frames, key=lambda timed: timed.ts_ns)
