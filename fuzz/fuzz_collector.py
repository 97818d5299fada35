"""Fuzz target: what stands between a socket and a listener, HTTP/2 and TLS included, and the event stream's reader.

The first byte chooses the door, the second how the input is cut and whether writing works; the rest is said. Nothing is
raised, nothing is answered that was not written, and the connection is closed in the end.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from lapwing.callbacks import Interaction, Peer
from lapwing.callbacks.push import MAX_EVENT_BYTES, EventReader
from lapwing.callbacks.responders import (
    DnsResponder,
    DnsStreamResponder,
    FtpResponder,
    HttpResponder,
    HttpSite,
    LdapResponder,
    Limits,
    Responder,
    SmtpResponder,
    Zone,
)
from lapwing.callbacks.responders.http2 import Http2Responder
from lapwing.events import WireError
from lapwing.io.listen.admission import Admission
from lapwing.io.listen.certificates import Certificates
from lapwing.io.listen.clock import Clock
from lapwing.io.listen.connection import Connection, Door, Services
from lapwing.io.listen.recorder import Recorder
from lapwing.io.listen.settings import TlsSettings
from lapwing.io.store import decode_payload, encode_payload

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
HELLO = bytes.fromhex("16030100310100002d0303") + bytes(32) + bytes.fromhex("0000021301010000020000")
SEEDS = (
    b"\0\0GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\1\0" + PREFACE + b"\0\0\5\1\5\0\0\0\1\x82\x84\x86\x41\x00",
    b"\2\0EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n",
    b"\3\0" + HELLO,
    b"\4\1USER x\r\nPASV\r\nPROT P\r\nQUIT\r\n",
    b"\5\0\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0",
    b"\6\0\0\x11\0\1\0\0\0\1\0\0\0\0\0\0\1x\0\0\1\0\1",
    b"\7\0id: 1\nevent: interaction\ndata: x\n\n",
)
DNS = DnsResponder(Zone(domains=("oast.example.com",), ipv4=("198.51.100.7",)))
SITE = HttpSite(domain="oast.example.com", dynamic=True)
LIMITS = Limits()
MAKES: tuple[Callable[[Peer, int, str | None], Responder], ...] = (
    lambda peer, now_ns, _: HttpResponder(peer, now_ns, site=SITE),
    lambda peer, now_ns, _: Http2Responder(peer, now_ns, site=SITE),
    lambda peer, now_ns, _: SmtpResponder(peer, now_ns, name="mail.example.com"),
    lambda peer, now_ns, _: HttpResponder(peer, now_ns, site=SITE),  # behind TLS
    lambda peer, now_ns, _: FtpResponder(peer, now_ns),
    lambda peer, now_ns, _: LdapResponder(peer, now_ns),
    lambda peer, now_ns, _: DnsStreamResponder(peer, now_ns, dns=DNS),
)
TLS_DOOR = 3


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
        """What waits is written, or refused."""
        waiting, self.waiting = self.waiting, []
        for then in waiting:
            then(self.works)


class Wire:
    """Stands for the transport."""

    def __init__(self, disk: Disk) -> None:
        self.closed = False
        self._disk = disk

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Addresses."""
        return {"peername": ("192.0.2.7", 40_000), "sockname": ("127.0.0.1", 80)}.get(name, default)

    def write(self, data: bytes) -> None:
        """An answer: never while something is still being written to disk."""
        assert data
        assert not self._disk.waiting, "answered before it was written"

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
LOOP = asyncio.new_event_loop()


def run(data: bytes) -> None:
    """Say the input at a door."""
    if len(data) < 2:
        return
    choice, how, said = data[0] % (len(MAKES) + 1), data[1], data[2:]
    if choice == len(MAKES):
        _events(said)
    else:
        LOOP.run_until_complete(_talk(choice, how, said))


def _events(said: bytes) -> None:
    reader = EventReader()
    with suppress(WireError):
        for event in reader.feed(said):
            assert len(event.data) <= MAX_EVENT_BYTES


async def _talk(choice: int, how: int, said: bytes) -> None:
    disk = Disk(works=how & 1 == 0)
    wire = Wire(disk)
    admission = Admission(total_count=1, per_source_count=1, per_source_s=10)
    services = Services(Clock(), cast("Recorder", disk), admission, LIMITS, 10.0)
    connection = Connection(Door("x", MAKES[choice], lambda: CONTEXT, tls=choice == TLS_DOOR), services)
    connection.connection_made(cast("asyncio.BaseTransport", wire))
    size = 1 + (how >> 1)
    for start in range(0, len(said), size):
        if wire.closed:
            break
        connection.data_received(said[start : start + size])
        disk.commit()
    if not wire.closed:
        connection.eof_received()
        disk.commit()
    assert wire.closed
    connection.connection_lost(None)
    disk.commit()
    assert admission.open_count == 0
