"""DNS over UDP: as many queries as wait are read at once, and answered when their group is on disk."""

import asyncio
import errno
import socket
from collections.abc import Sequence
from functools import partial

from lapwing.callbacks import Interaction, Peer
from lapwing.callbacks.responders import DnsResponder
from lapwing.io.listen.admission import Rate, source_of
from lapwing.io.listen.clock import Clock
from lapwing.io.listen.recorder import Recorder

BATCH_COUNT = 256  # queries read before others get their turn
MAX_QUERY_BYTES = 4_096  # longer ones are cut; no question is that long, and one that is whole is answered
# What the system says of an answer it could not deliver; it is the asker's loss.
_UNSENT = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.EPERM, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EINVAL})

Answer = tuple[bytes, tuple[str, int]]


class DnsSocket:
    """One UDP port."""

    def __init__(
        self, udp: socket.socket, *, clock: Clock, dns: DnsResponder, recorder: Recorder, per_source_s: int
    ) -> None:
        self.rate = Rate(per_source_s)
        self.unsent_count = 0  # answers the system did not take
        self.port: int = udp.getsockname()[1]
        self._socket = udp
        self._clock = clock
        self._dns = dns
        self._recorder = recorder

    def start(self) -> None:
        """Answer from now on."""
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Stop."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        now_ns = self._clock.now_ns()
        noted: list[Interaction] = []
        answers: list[Answer] = []
        receive, allows, respond = self._socket.recvfrom, self.rate.allows, self._dns.respond
        for _ in range(BATCH_COUNT):
            try:
                message, address = receive(MAX_QUERY_BYTES)
            except BlockingIOError:
                break
            except OSError:  # the error of an answer sent before
                continue
            if not allows(source_of(address[0]), now_ns):
                continue
            answered = respond(message, Peer(address[0], address[1], self.port), now_ns)
            if answered is not None:
                interaction, reply = answered
                noted.append(interaction)
                if reply is not None:
                    answers.append((reply, address))
        if noted:
            self._recorder.take(noted, partial(self._written, answers))

    def _written(self, answers: Sequence[Answer], taken: bool) -> None:
        if not taken or self._socket.fileno() < 0:
            return  # resolvers ask again, and then it may work
        for data, address in answers:
            try:
                self._socket.sendto(data, address)
            except OSError as problem:
                if problem.errno not in _UNSENT:
                    raise
                self.unsent_count += 1
