"""A conversation written once and played by many flows: who sends what, when, with which TCP numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

MSS = 1428  # bytes of payload in a full segment: 1500 less IPv6 and TCP with time stamps
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = 0, 1

WIRE_US = 120.0  # between two segments sent back to back
TRIP_US = 9_000.0  # one way between the two ends
THINK_US = 180_000.0  # a person or a program deciding what to ask next


class Pool:
    """Payloads by number. Equal payloads share one number, so a large capture needs little memory."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []
        self._numbers: dict[bytes, int] = {}
        self.add(b"")

    def add(self, payload: bytes) -> int:
        number = self._numbers.setdefault(payload, len(self.payloads))
        if number == len(self.payloads):
            self.payloads.append(payload)
        return number

    def lengths(self) -> npt.NDArray[np.int64]:
        return np.array([len(payload) for payload in self.payloads], dtype=np.int64)

    def sums(self) -> npt.NDArray[np.int64]:
        """The sum of each payload's big-endian 16-bit words, an odd last byte padded: a checksum's share."""
        return np.array(
            [int(np.frombuffer(p + b"\0" * (len(p) & 1), dtype=">u2").sum(dtype=np.int64)) for p in self.payloads],
            dtype=np.int64,
        )


@dataclass
class Script:
    """One packet per row. Sequence numbers count from the side's first; `gap_us` is since the row before."""

    pool: Pool
    server_port: int
    protocol: int = 6
    side: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    payload: list[int] = field(default_factory=list)
    seq: list[int] = field(default_factory=list)
    ack: list[int] = field(default_factory=list)
    gap_us: list[float] = field(default_factory=list)
    _next: list[int] = field(default_factory=lambda: [0, 0])

    def __len__(self) -> int:
        return len(self.side)

    def packet(self, side: int, flags: int, payload: bytes, gap_us: float) -> None:
        """Adds one packet; of a datagram script `flags` is the ICMP type, or 0."""
        self.side.append(side)
        self.flags.append(flags)
        self.payload.append(self.pool.add(payload))
        self.seq.append(self._next[side])
        self.ack.append(self._next[1 - side] if flags & ACK else 0)
        self.gap_us.append(gap_us)
        self._next[side] += len(payload) + (1 if self.protocol == 6 and flags & (SYN | FIN) else 0)

    def open(self) -> "Script":
        self.packet(CLIENT, SYN, b"", 0.0)
        self.packet(SERVER, SYN | ACK, b"", TRIP_US * 2)
        self.packet(CLIENT, ACK, b"", TRIP_US)
        return self

    def say(self, side: int, data: bytes, gap_us: float = TRIP_US * 2) -> "Script":
        """Sends `data` in full segments; the other side acknowledges every second one and the last."""
        return self.segments(side, _cut(data), gap_us)

    def segments(
        self, side: int, pieces: Sequence[bytes], gap_us: float = TRIP_US * 2, pace_us: float = WIRE_US
    ) -> "Script":
        for index, piece in enumerate(pieces):
            last = index == len(pieces) - 1
            self.packet(side, ACK | (PSH if last else 0), piece, gap_us if index == 0 else pace_us)
            if index % 2 == 1 or last:
                self.packet(1 - side, ACK, b"", pace_us / 2)
        return self

    def ask(self, question: bytes, answer: bytes, think_us: float = THINK_US) -> "Script":
        """The client's data without an own acknowledgement, for the answer carries it."""
        for index, piece in enumerate(_cut(question)):
            self.packet(CLIENT, ACK | PSH, piece, think_us if index == 0 else WIRE_US)
        return self.say(SERVER, answer)

    def close(self, first: int = CLIENT) -> "Script":
        self.packet(first, FIN | ACK, b"", WIRE_US * 4)
        self.packet(1 - first, FIN | ACK, b"", TRIP_US * 2)
        self.packet(first, ACK, b"", TRIP_US)
        return self

    def reset(self, side: int) -> "Script":
        self.packet(side, RST | ACK, b"", WIRE_US * 4)
        return self


def _cut(data: bytes) -> Sequence[bytes]:
    return [data[at : at + MSS] for at in range(0, len(data), MSS)]


def zipf_sizes(smallest: int, largest: int, steps: int) -> Iterator[int]:
    """Sizes in geometric steps from `smallest` to `largest`."""
    for step in range(steps):
        yield round(smallest * (largest / smallest) ** (step / (steps - 1)))
