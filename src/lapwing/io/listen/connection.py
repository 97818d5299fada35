"""One connection: bytes to its responder, outputs carried out, and nothing answered before it is on disk.

While an interaction is being written, nothing more is read, so a client is held back by the disk and not by a queue.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol, cast

from lapwing.callbacks import Interaction, OtherInteraction, Peer
from lapwing.callbacks.responders import (
    Close,
    Control,
    DiscardData,
    FtpResponder,
    HttpResponder,
    Limits,
    OpenData,
    Output,
    Responder,
    Send,
    SendData,
    StartTls,
)
from lapwing.callbacks.responders.http2 import Http2Responder
from lapwing.io.listen.admission import Admission, source_of
from lapwing.io.listen.clock import NS_PER_S, Clock
from lapwing.io.listen.ftp_data import DataConnection
from lapwing.io.listen.recorder import Recorder
from lapwing.io.listen.secure import TlsLayer

MAX_UNSENT_BYTES = 256 * 1024  # of answers a client does not read; reading from it pauses until it does
GRACE_S = 5.0  # past a connection's time, after which it is broken off whatever its state

Make = Callable[[Peer, int, str | None], Responder]


class Door(NamedTuple):
    """What stands behind a port. `make` gets the peer, the time and the protocol agreed on in TLS.

    `context` gives the TLS context of this moment, None without one; `tls` says that connections begin with TLS.
    """

    name: str
    make: Make
    context: Callable[[], ssl.SSLContext | None]
    tls: bool = False


class Controls(Protocol):
    """Who answers requests to the collector itself."""

    def asked(self, connection: "Connection", request: Control) -> None:
        """Answer with `Connection.reply`, now or later."""

    def left(self, connection: "Connection") -> None:
        """The connection is gone; whatever was going on for it ends."""


class Services(NamedTuple):
    """What all connections of a collector share."""

    clock: Clock
    recorder: Recorder
    admission: Admission
    limits: Limits
    handshake_s: float
    controls: Controls | None = None


class Connection(asyncio.Protocol):
    """Drives one responder."""

    def __init__(self, door: Door, services: Services) -> None:
        self.peer = Peer("")
        self.on_end: Callable[[Connection], None] = lambda _connection: None
        self._door = door
        self._services = services
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._source: str | None = None  # whose place this takes; None: none taken
        self._responder: Responder | None = None
        self._tls: TlsLayer | None = None
        self._inbox: list[bytes] = []
        self._writing = False  # an interaction, to disk
        self._blocked = False  # the client does not read
        self._gone = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0
        self._end: asyncio.TimerHandle | None = None
        self._handshake: asyncio.TimerHandle | None = None
        self._data: DataConnection | None = None
        self._waiting_for_room: list[asyncio.Future[None]] = []

    # The transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, or go."""
        self._transport = cast("asyncio.Transport", transport)
        address, port = transport.get_extra_info("peername", ("", 0))[:2]
        own_port = transport.get_extra_info("sockname", ("", 0))[1]
        source = source_of(address)
        if not self._services.admission.enter(source, self._services.clock.now_ns()):
            self._gone = True
            self._transport.abort()
            return  # `connection_lost` follows
        self._source = source
        self.peer = Peer(address, port, own_port)
        self._transport.set_write_buffer_limits(high=MAX_UNSENT_BYTES)
        self._end = self._loop.call_later(self._services.limits.connection_s + GRACE_S, self.abort)
        if self._door.tls:
            self._begin_tls()
        else:
            self._begin(None)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        if self._gone:
            return
        if self._tls is not None:
            self._receive_tls(self._tls, data)
        else:
            self._deliver(data)

    def eof_received(self) -> bool:
        """The client sends no more; what it said is answered, then the connection ends."""
        if self._writing:
            self._inbox.append(b"")
        else:
            self._client_ended()
        return True

    def pause_writing(self) -> None:
        """The client does not read its answers."""
        self._blocked = True
        self._regulate()

    def resume_writing(self) -> None:
        """It does again."""
        self._blocked = False
        self._regulate()
        self._tell_room()

    def connection_lost(self, _exc: Exception | None) -> None:
        """It is over; what was being said is kept."""
        handshaking = self._tls is not None and not self._tls.ready
        already_gone, self._gone = self._gone, True
        for timer in (self._timer, self._end, self._handshake):
            if timer is not None:
                timer.cancel()
        self._tell_room()
        self.on_end(self)
        if self._data is not None:
            self._data.close()
        if self._source is not None:
            self._services.admission.leave(self._source)
            self._source = None
        if self._services.controls is not None:
            self._services.controls.left(self)
        if handshaking and not already_gone:
            self._report_handshake("closed by the client")
        if self._responder is not None:
            self._note(self._responder.closed(self._now()))

    # For who answers control requests.

    def reply(self, data: bytes, stream: int = 0) -> bool:
        """Give a control request its answer; False when nobody is there to get it."""
        if self._gone or not isinstance(self._responder, HttpResponder | Http2Responder):
            return False
        self._act(self._responder.answered(data, self._now(), stream))
        return True

    def begin_stream(self, head: bytes, stream: int = 0) -> None:
        """Begin an answer that goes on: its header, written as for HTTP/1. The time limits end here: a stream stays."""
        if self._end is not None:
            self._end.cancel()
        if not stream:
            self._write(head)
        elif isinstance(self._responder, Http2Responder):
            self._perform(self._responder.begin(stream, head, self._now()))

    def stream(self, data: bytes, stream: int = 0) -> bool:
        """Send part of an answer that goes on; False when the client is gone or does not keep up."""
        if self._gone or self._blocked:
            return False
        if not stream:
            self._write(data)
            return True
        responder = self._responder
        if not isinstance(responder, Http2Responder) or not responder.has_room(stream):
            return False
        self._perform(responder.more(stream, data))
        return True

    async def room(self, stream: int = 0) -> None:
        """Wait until the client reads again, or is gone."""
        while not self._gone and (self._blocked or self._is_full(stream)):
            waiting = self._loop.create_future()
            self._waiting_for_room.append(waiting)
            await waiting

    def _is_full(self, stream: int) -> bool:
        """Whether an answer over HTTP/2 waits for its window; one that is gone waits for nothing."""
        responder = self._responder
        return (
            stream > 0
            and isinstance(responder, Http2Responder)
            and responder.is_open(stream)
            and not responder.has_room(stream)
        )

    def end_stream(self, stream: int = 0) -> None:
        """An answer that went on is over: over HTTP/1 the connection with it."""
        if not stream:
            self._close()
        elif not self._gone and isinstance(self._responder, Http2Responder):
            self._perform(self._responder.end(stream, self._now()))
            self._arm()

    def abort(self) -> None:
        """Break off."""
        if self._transport is not None:
            self._transport.abort()

    def shut(self) -> None:
        """Close after what was sent."""
        self._close()

    # Inside.

    def _tell_room(self) -> None:
        waiting, self._waiting_for_room = self._waiting_for_room, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    def _now(self) -> int:
        return self._services.clock.now_ns()

    def _begin(self, protocol: str | None) -> None:
        self._responder = self._door.make(self.peer, self._now(), protocol)
        if self._tls is not None:
            self._act(self._responder.tls_started(self._now(), self._tls.sni))
        if not self._gone:
            self._act(self._responder.start())

    def _begin_tls(self) -> None:
        context = self._door.context()
        if context is None:
            self._close()
            return
        self._tls = TlsLayer(context)
        self._handshake = self._loop.call_later(self._services.handshake_s, self._handshake_failed, "too slow")

    def _receive_tls(self, tls: TlsLayer, data: bytes) -> None:
        was_ready = tls.ready
        try:
            plain = tls.receive(data)
        except ssl.SSLError as problem:
            self._send_out(tls)
            if was_ready:
                self._client_ended()
            else:
                self._handshake_failed(problem.reason or "no TLS")
            return
        self._send_out(tls)
        if tls.ready and not was_ready:
            self._tls_ready(tls)
        if plain:
            self._deliver(plain)
        if tls.ended and not self._gone:
            self._deliver(b"")

    def _tls_ready(self, tls: TlsLayer) -> None:
        if self._handshake is not None:
            self._handshake.cancel()
        if self._responder is None:
            self._begin(tls.protocol)
        else:
            self._act(self._responder.tls_started(self._now(), tls.sni))

    def _handshake_failed(self, reason: str) -> None:
        if self._gone:
            return
        self._report_handshake(reason)
        self._gone = True
        self._close()

    def _report_handshake(self, reason: str) -> None:
        """Who asks for a name has reached us, even when no handshake came of it."""
        if self._tls is None or not self._tls.sni:
            return
        peer = Peer(self.peer.client_ip, self.peer.client_port, self.peer.server_port, tls=True, sni=self._tls.sni)
        note = OtherInteraction(ts_ns=self._now(), peer=peer, name="tls", malformed=f"handshake: {reason}"[:256])
        self._services.recorder.take([note], _nobody_waits)

    def _deliver(self, data: bytes) -> None:
        """Plain bytes for the responder, empty at the client's end; later while something is being written."""
        if self._writing:
            self._inbox.append(data)
        elif not data:
            self._client_ended()
        elif self._responder is not None:
            self._act(self._responder.receive(data, self._now()))
            if self._waiting_for_room and not self._blocked:
                self._tell_room()  # a window may have been opened

    def _client_ended(self) -> None:
        if self._responder is not None and not self._gone:
            self._act(self._responder.closed(self._now()))
        self._close()

    def _act(self, outputs: Sequence[Output]) -> None:
        noted = [output for output in outputs if isinstance(output, Interaction)]
        if noted:
            rest = [output for output in outputs if not isinstance(output, Interaction)]
            self._writing = True
            self._regulate()
            self._services.recorder.take(noted, partial(self._written, rest))
        else:
            self._perform(outputs)
            self._arm()

    def _note(self, outputs: Sequence[Output]) -> None:
        """Keep what is left to report; nobody is there to be answered."""
        noted = [output for output in outputs if isinstance(output, Interaction)]
        if noted:
            self._services.recorder.take(noted, _nobody_waits)

    def _written(self, rest: Sequence[Output], taken: bool) -> None:
        self._writing = False
        if self._gone:
            return
        if not taken:
            self.abort()  # no answer: it is not on disk
            return
        self._perform(rest)
        self._arm()
        while self._inbox and not self._writing and not self._gone:
            self._deliver(self._inbox.pop(0))
        self._regulate()

    def _regulate(self) -> None:
        """Read only when what is read can be taken."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._writing or self._blocked:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _perform(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if self._gone:
                return
            if isinstance(output, Send):
                self._write(output.data)
            elif isinstance(output, Close):
                self._close()
            elif isinstance(output, StartTls):
                self._begin_tls()
            elif isinstance(output, Control):
                self._hand_over(output)
            elif isinstance(output, OpenData | SendData | DiscardData):
                self._transfer(output)

    def _hand_over(self, request: Control) -> None:
        if self._services.controls is None:
            self.abort()
        else:
            self._services.controls.asked(self, request)

    def _transfer(self, output: OpenData | SendData | DiscardData) -> None:
        """FTP's second connection."""
        responder = self._responder
        if not isinstance(responder, FtpResponder) or self._transport is None:
            return
        if isinstance(output, OpenData):
            if self._data is not None:
                self._data.close()
            own_address = self._transport.get_extra_info("sockname")[0]
            context = self._door.context() if responder.data_protected else None
            self._data = DataConnection(own_address, self.peer.client_ip, context)
            port = self._data.listen()
            self._act(responder.data_listening(own_address.removeprefix("::ffff:"), port, self._now()))
        elif self._data is not None:
            content = output.data if isinstance(output, SendData) else None
            limit = output.limit_bytes if isinstance(output, DiscardData) else 0
            self._data.run(content, limit, self._data_done)

    def _data_done(self, complete: bool) -> None:
        if not self._gone and isinstance(self._responder, FtpResponder):
            self._act(self._responder.data_done(self._now(), complete=complete))

    def _write(self, data: bytes) -> None:
        if self._transport is None:
            return
        if self._tls is None:
            self._put(data)
            return
        try:
            self._tls.send(data)
        except ssl.SSLError:
            self.abort()
            return
        self._send_out(self._tls)

    def _send_out(self, tls: TlsLayer) -> None:
        data = tls.take_out()
        if data:
            self._put(data)

    def _put(self, data: bytes) -> None:
        """Send, unless the client left while what it asked for was looked up: uvloop raises then."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _close(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._tls is not None:
            self._tls.close()
            self._send_out(self._tls)
        self._transport.close()

    def _arm(self) -> None:
        """One timer for the responder's deadline. It is moved earlier, never later: it looks again when it fires."""
        due_ns = None if self._responder is None or self._gone else self._responder.next_wakeup_ns
        if due_ns is None or (self._timer is not None and self._timer_ns <= due_ns):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_ns = due_ns
        self._timer = self._loop.call_later(max(0, due_ns - self._now()) / NS_PER_S, self._due)

    def _due(self) -> None:
        self._timer = None
        if self._gone or self._responder is None:
            return
        if self._writing:  # the answer comes first, then the time is looked at again
            return
        self._act(self._responder.wake(self._now()))


def _nobody_waits(_taken: bool) -> None:
    """For interactions whose sender is gone."""
