"""What the fuzz targets of the collector's listeners share: a client that says the input at a door, and its neighbour.

Nothing is raised, nothing is answered that was not written, the connection is closed in the end and leaves nothing
behind; and a second client, connected all the while, hears exactly what it hears when it is alone.
"""

import asyncio
import resource
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, cast
from weakref import WeakSet

from lapwing.callbacks import Interaction, Peer
from lapwing.callbacks.responders import DnsResponder, HttpSite, Limits, Responder, Zone
from lapwing.io.listen.admission import Admission
from lapwing.io.listen.certificates import Certificates
from lapwing.io.listen.clock import Clock
from lapwing.io.listen.connection import Connection, Door, Services
from lapwing.io.listen.recorder import Recorder
from lapwing.io.listen.settings import TlsSettings
from lapwing.io.store import decode_payload, encode_payload

DNS = DnsResponder(Zone(domains=("oast.example.com",), ipv4=("198.51.100.7",)))
SITE = HttpSite(domain="oast.example.com", dynamic=True)
LIMITS = Limits()
LOOP = asyncio.new_event_loop()
MAX_LIVING = 64  # connections at one time; what is over may wait that long for its cycle to be found
MAX_RSS_KIB = 1024 * 1024  # of the whole fuzzing process, its corpus included

Make = Callable[[Peer, int, str | None], Responder]


class Disk:
    """Stands for the recorder: writes later, or not at all."""

    def __init__(self, *, works: bool) -> None:
        self.works = works
        self.waiting: list[Callable[[bool], None]] = []

    def take(self, interactions: Sequence[Interaction], then: Callable[[bool], None]) -> None:
        """Check that they can be kept, and keep them waiting."""
        for interaction in interactions:
            assert decode_payload(encode_payload(interaction)) == interaction
        self.waiting.append(then)

    def commit(self) -> None:
        """What waits is written, or refused; and what comes of that."""
        while self.waiting:
            waiting, self.waiting = self.waiting, []
            for then in waiting:
                then(self.works)


class Wire:
    """Stands for the transport."""

    def __init__(self, disk: Disk) -> None:
        self.closed = False
        self.heard = bytearray()
        self._disk = disk

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Addresses."""
        return {"peername": ("192.0.2.7", 40_000), "sockname": ("127.0.0.1", 80)}.get(name, default)

    def write(self, data: bytes) -> None:
        """An answer: never while something is still being written to disk."""
        assert data
        assert not self._disk.waiting, "answered before it was written"
        self.heard += data

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.closed

    def close(self) -> None:
        """The end."""
        self.closed = True

    abort = close

    def set_write_buffer_limits(self, high: int) -> None:
        """Taken note of."""
        assert high > 0

    def pause_reading(self) -> None:
        """Nothing to do: what is said is said."""

    resume_reading = pause_reading


def _contexts() -> ssl.SSLContext:
    with TemporaryDirectory() as folder:
        return Certificates(TlsSettings(lab_folder=str(Path(folder) / "lab")), ("oast.example.com",)).plain


CONTEXT = _contexts()
_living: WeakSet[Connection] = WeakSet()


class Client:
    """One connection to a door."""

    def __init__(self, make: Make, disk: Disk, admission: Admission, *, tls: bool = False) -> None:
        self.wire = Wire(disk)
        self._disk = disk
        services = Services(Clock(), cast("Recorder", disk), admission, LIMITS, 10.0)
        self._connection = Connection(Door("x", make, lambda: CONTEXT, tls=tls), services)
        _living.add(self._connection)
        self._connection.connection_made(cast("asyncio.BaseTransport", self.wire))

    def say(self, said: bytes, piece_bytes: int) -> None:
        """Say it in pieces, as far as anybody listens."""
        for start in range(0, len(said), piece_bytes):
            if self.wire.closed:
                break
            self._connection.data_received(said[start : start + piece_bytes])
            self._disk.commit()

    def leave(self) -> bytes:
        """Say no more; returns what was heard."""
        if not self.wire.closed:
            self._connection.eof_received()
            self._disk.commit()
        assert self.wire.closed
        self._connection.connection_lost(None)
        self._disk.commit()
        return bytes(self.wire.heard)


class Target(NamedTuple):
    """A door. The neighbour says `first` before the stranger comes and `second` after it has gone."""

    make: Make
    first: bytes = b""
    second: bytes = b""
    tls: bool = False

    def run(self, data: bytes) -> None:
        """Say the input: its first byte is how it is cut and whether writing works."""
        if data:
            LOOP.run_until_complete(self._talk(data[0], data[1:]))
        assert len(_living) <= MAX_LIVING
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MAX_RSS_KIB

    async def _talk(self, how: int, said: bytes) -> None:
        alone = await self._neighbour(lambda _disk, _admission: None)
        assert alone or not self.second

        def stranger(disk: Disk, admission: Admission) -> None:
            disk.works = how & 1 == 0
            client = Client(self.make, disk, admission, tls=self.tls)
            client.say(said, 1 + (how >> 1))
            client.leave()
            disk.works = True

        assert await self._neighbour(stranger) == alone, "a neighbour was not served as it is alone"

    async def _neighbour(self, meanwhile: Callable[[Disk, Admission], None]) -> bytes:
        disk = Disk(works=True)
        admission = Admission(total_count=2, per_source_count=2, per_source_s=10)
        neighbour = Client(self.make, disk, admission)
        neighbour.say(self.first, len(self.first) or 1)
        meanwhile(disk, admission)
        neighbour.say(self.second, len(self.second) or 1)
        heard = neighbour.leave()
        assert admission.open_count == 0
        return heard
