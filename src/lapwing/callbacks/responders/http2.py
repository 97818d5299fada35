"""HTTP/2 (RFC 9113) as a listener: the same answers as over HTTP/1, each stream an interaction.

There is no request line to keep: `raw_request` is the header as it was decoded, field by field in its order, under a
request line made of the pseudo-header fields, and the body.
"""

from collections import OrderedDict
from contextlib import suppress

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from lapwing.callbacks.interaction import MAX_RAW_BYTES, HttpInteraction, Peer, RawKeeper
from lapwing.callbacks.responders.base import SECOND_NS, Control, Limits, Output, Responder, Send
from lapwing.callbacks.responders.http import MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_REQUESTS, Controls
from lapwing.callbacks.responders.http_answers import MAX_DELAY_S, Asked, HttpAnswer, HttpSite, answer_to, write_answer

MAX_STREAMS = 32  # open at one time
MAX_RESETS = 100  # streams a client takes back; more is rapid reset (CVE-2023-44487)
MAX_UNSENT_BYTES = 4 * 1024 * 1024  # of answers for which the client opened no window
MAX_AHEAD_BYTES = 256 * 1024  # of one answer that goes on; past that there is no room until the client opens its window
_CONNECTION_FIELDS = frozenset({b"connection", b"transfer-encoding"})  # RFC 9113 section 8.2.2


class _Request:
    """One stream."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.raw = RawKeeper(MAX_RAW_BYTES)
        self.body_bytes = 0
        self.unsent = b""
        self.answered = False
        self.lasting = False  # the answer goes on

    def pseudo(self, name: bytes) -> str:
        return next((value for key, value in self.fields if key == name), b"").decode("latin-1")

    def take_head(self, fields: list[tuple[bytes, bytes]]) -> None:
        """Keep the header, written out."""
        self.fields = fields
        lines = [f"{self.pseudo(b':method')} {self.pseudo(b':path')} HTTP/2\r\n".encode("latin-1")]
        if authority := self.pseudo(b":authority"):
            lines.append(b"host: " + authority.encode("latin-1") + b"\r\n")
        lines += [name + b": " + value + b"\r\n" for name, value in fields if not name.startswith(b":")]
        self.raw.add(b"".join(lines) + b"\r\n")


class Http2Responder(Responder):
    """One connection."""

    def __init__(
        self,
        peer: Peer,
        now_ns: int,
        *,
        site: HttpSite,
        limits: Limits | None = None,
        control: Controls | None = None,
    ) -> None:
        """`control` says which requests are for the collector itself."""
        super().__init__(peer, now_ns, limits)
        self._site = site
        self._control = control
        self._requests: OrderedDict[int, _Request] = OrderedDict()
        self._delayed: dict[int, tuple[int, bytes]] = {}
        self._count = self._reset_count = 0
        self._connection = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding=None)
        )
        self._connection.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: MAX_STREAMS,
                h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEAD_BYTES,
                h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL: 0,
            },
        )

    def start(self) -> list[Output]:
        """Say what this side allows."""
        self._connection.initiate_connection()
        return self._to_send()

    @property
    def held_bytes(self) -> int:
        """Streams whose request has not ended count as what is held."""
        return sum(len(request.raw) or 1 for request in self._requests.values() if not request.answered)

    @property
    def next_wakeup_ns(self) -> int | None:
        """The deadline, or when a delayed answer is due. While an answer goes on, who makes it keeps the time."""
        due_ns = super().next_wakeup_ns
        if due_ns is None:
            return None
        waits = [when_ns for when_ns, _ in self._delayed.values()]
        if not any(request.lasting for request in self._requests.values()):
            waits.append(due_ns)
        return min(waits, default=None)

    def answered(self, reply: bytes, now_ns: int, stream: int = 0) -> list[Output]:
        """The answer to a control request is there, written as for HTTP/1."""
        if self.ended or stream not in self._requests:
            return []
        self._now_ns = self._last_byte_ns = now_ns
        self._send_answer(stream, reply)
        return self._to_send()

    # An answer that goes on.

    def begin(self, stream: int, head: bytes, now_ns: int) -> list[Output]:
        """Send the header of an answer to a control request, written as for HTTP/1; `more` sends what follows."""
        request = self._requests.get(stream)
        if self.ended or request is None:
            return []
        self._now_ns = self._last_byte_ns = now_ns
        request.answered = request.lasting = True
        if not self._send_headers(stream, head, end=False):
            return []
        return self._to_send()

    def has_room(self, stream: int) -> bool:
        """Whether `more` can be sent now; False where the answer's stream is gone, too."""
        request = self._requests.get(stream)
        return request is not None and request.lasting and len(request.unsent) < MAX_AHEAD_BYTES

    def is_open(self, stream: int) -> bool:
        """Whether the client still wants the answer."""
        return not self.ended and stream in self._requests

    def more(self, stream: int, data: bytes) -> list[Output]:
        """Send more of an answer that goes on."""
        request = self._requests.get(stream)
        if self.ended or request is None or not request.lasting:
            return []
        request.unsent += data
        self._go_on(stream)
        return self._to_send()

    def end(self, stream: int, now_ns: int) -> list[Output]:
        """The answer is over, once what was given for it is sent."""
        request = self._requests.get(stream)
        if self.ended or request is None or not request.lasting:
            return []
        self._now_ns = self._last_byte_ns = now_ns
        request.lasting = False
        if request.unsent:
            self._go_on(stream)
        else:
            self._requests.pop(stream)
            with suppress(h2.exceptions.ProtocolError):
                self._connection.end_stream(stream)
        return self._to_send()

    def _received(self, data: bytes) -> list[Output]:
        try:
            events = self._connection.receive_data(data)
        except h2.exceptions.ProtocolError as problem:
            goodbye = self._to_send()  # names the error
            return [*self._report_rest(str(problem)), *goodbye, *self._finish("no HTTP/2")]
        outputs: list[Output] = []
        for event in events:
            outputs += self._event(event)
        if self._reset_count > MAX_RESETS or self._count > MAX_REQUESTS:
            return [*outputs, *self._to_send(), *self._finish("enough for one connection")]
        self._message_done()
        return [*outputs, *self._to_send()]

    def _event(self, event: h2.events.Event) -> list[Output]:
        if isinstance(event, h2.events.RequestReceived):
            self._count += 1
            request = self._requests[event.stream_id] = _Request()
            request.take_head([(bytes(name), bytes(value)) for name, value in event.headers])
        elif isinstance(event, h2.events.DataReceived):
            return self._body(event)
        elif isinstance(event, h2.events.StreamEnded):
            return self._request_done(event.stream_id)
        elif isinstance(event, h2.events.WindowUpdated):
            self._go_on(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self._reset_count += 1
            return self._taken_back(event.stream_id)
        return []

    def _body(self, event: h2.events.DataReceived) -> list[Output]:
        self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        request = self._requests.get(event.stream_id)
        if request is None or request.answered:
            return []
        request.raw.add(event.data)
        request.body_bytes += len(event.data)
        if request.body_bytes <= MAX_BODY_BYTES:
            return []
        reply = write_answer(HttpAnswer(413), self._site)
        report = self._report(request, reply, "body longer than the bound")
        self._send_answer(event.stream_id, reply)
        return [report]

    def _request_done(self, stream: int) -> list[Output]:
        request = self._requests.get(stream)
        if request is None or request.answered:
            return []
        asked = self._asked(request)
        if self._control is not None and self._control(asked):
            return [self._to_control(stream, request)]
        answer = answer_to(asked, self._site)
        reply = write_answer(answer, self._site, head_only=asked.method == "HEAD")
        report = self._report(request, reply)
        if answer.delay_s > 0:
            request.answered = True
            due_ns = self._now_ns + int(min(answer.delay_s, MAX_DELAY_S) * SECOND_NS)
            self._delayed[stream] = due_ns, reply
        else:
            self._send_answer(stream, reply)
        return [report]

    @staticmethod
    def _asked(request: _Request) -> Asked:
        path, _, query = request.pseudo(b":path").partition("?")
        host = request.pseudo(b":authority") or request.pseudo(b"host")
        return Asked(request.pseudo(b":method"), path, query, host)

    def _to_control(self, stream: int, request: _Request) -> Control:
        raw, size = request.raw.take()
        fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.fields)
        body = raw.partition(b"\r\n\r\n")[2]
        return Control(
            request.pseudo(b":method"), request.pseudo(b":path"), fields, body, whole=size == len(raw), stream=stream
        )

    def _woken(self) -> list[Output]:
        due = [stream for stream, (when_ns, _) in self._delayed.items() if when_ns <= self._now_ns]
        if not due:
            return self._broken("too slow")
        self._last_byte_ns = self._now_ns
        for stream in due:
            self._send_answer(stream, self._delayed.pop(stream)[1])
        return self._to_send()

    # What is sent.

    def _send_answer(self, stream: int, reply: bytes) -> None:
        """Turn an answer as HTTP/1 writes it into header and data of a stream."""
        request = self._requests.get(stream)
        if request is None:
            return
        request.answered = True
        head, _, body = reply.partition(b"\r\n\r\n")
        if self._send_headers(stream, head, end=not body):
            request.unsent = body
            self._go_on(stream)

    def _send_headers(self, stream: int, head: bytes, *, end: bool) -> bool:
        """False where the client took its request back meanwhile."""
        line, *fields = head.rstrip().split(b"\r\n")
        headers = [(b":status", line.split()[1])]
        for field in fields:
            name, _, value = field.partition(b": ")
            if name.lower() not in _CONNECTION_FIELDS:
                headers.append((name.lower(), value))
        try:
            self._connection.send_headers(stream, headers, end_stream=end)
        except h2.exceptions.ProtocolError:
            self._requests.pop(stream, None)
            return False
        return True

    def _go_on(self, stream: int) -> None:
        """Send as much as the client's windows allow; `stream` 0 is the window of all."""
        for one in [stream] if stream else list(self._requests):
            request = self._requests.get(one)
            if request is None or not request.answered or one in self._delayed:
                continue
            try:
                self._send_body(one, request)
            except h2.exceptions.ProtocolError:
                request.unsent, request.lasting = b"", False
            if not request.unsent and not request.lasting:
                self._requests.pop(one, None)

    def _send_body(self, stream: int, request: _Request) -> None:
        while request.unsent:
            size = min(
                self._connection.local_flow_control_window(stream),
                self._connection.max_outbound_frame_size,
                len(request.unsent),
            )
            if size <= 0:
                return
            piece, request.unsent = request.unsent[:size], request.unsent[size:]
            self._connection.send_data(stream, piece, end_stream=not (request.unsent or request.lasting))

    def _to_send(self) -> list[Output]:
        data = self._connection.data_to_send()
        outputs: list[Output] = [Send(data)] if data else []
        if sum(len(request.unsent) for request in self._requests.values()) > MAX_UNSENT_BYTES:
            outputs += self._finish("reads nothing of what it asks for")
        return outputs

    # What is reported.

    def _report(self, request: _Request, response: bytes = b"", malformed: str = "") -> HttpInteraction:
        raw, size = request.raw.take()
        asked = self._asked(request)
        return HttpInteraction(
            ts_ns=self._now_ns,
            peer=self.peer,
            raw_request=raw,
            raw_response=response[:MAX_RAW_BYTES],
            request_bytes=size,
            malformed=malformed[:256],
            method=asked.method,
            target=request.pseudo(b":path"),
            host=asked.host,
        )

    def _taken_back(self, stream: int) -> list[Output]:
        self._delayed.pop(stream, None)
        request = self._requests.pop(stream, None)
        if request is None or request.answered:
            return []
        return [self._report(request, malformed="taken back before its end")]

    def _report_rest(self, reason: str) -> list[Output]:
        """What was being asked when the connection ends; once said where nothing was asked at all."""
        open_requests = [request for request in self._requests.values() if not request.answered]
        self._requests.clear()
        if open_requests:
            return [self._report(request, malformed=f"unfinished: {reason}") for request in open_requests]
        if self._count or not self._received_bytes:
            return []
        self._count = 1
        return [
            HttpInteraction(
                ts_ns=self._now_ns, peer=self.peer, malformed=reason[:256], request_bytes=self._received_bytes
            )
        ]

    def _take_unread(self) -> bytes:
        return b""

    def _last_words(self, reason: str, _rest: bytes) -> list[Output]:
        return self._report_rest(reason)
