"""HTTP/1 as a listener that keeps every request byte for byte and answers whatever comes.

Only what is needed to find the end of a request is understood (RFC 9112); letters, order and errors of what was sent
stay in the raw bytes.
"""

import re
from collections.abc import Callable
from enum import Enum, auto

from lapwing.callbacks.interaction import MAX_RAW_BYTES, HttpInteraction, Peer, RawKeeper
from lapwing.callbacks.responders.base import SECOND_NS, Control, Limits, Output, Responder, Send
from lapwing.callbacks.responders.http_answers import MAX_DELAY_S, Asked, HttpAnswer, HttpSite, answer_to, write_answer

MAX_HEAD_BYTES = 32 * 1024  # of request line and header; so the head and as much of a body are kept whole
MAX_BODY_BYTES = 8 * 1024 * 1024  # of a request, kept or not
MAX_CHUNK_LINE_BYTES = 4 * 1024  # of a chunk's size with its extensions, and of a trailer line
MAX_REQUESTS = 1000  # per connection
MAX_AHEAD_BYTES = 256 * 1024  # pipelined while an answer is delayed

Controls = Callable[[Asked], bool]  # whether a request is for the collector itself

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) +(\S(?:.*[^ ])?) +HTTP/(\d)\.(\d)\Z", re.DOTALL)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"\d{1,12}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?\r?\n", re.DOTALL)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Mode(Enum):
    HEAD = auto()
    BODY = auto()
    CHUNK_SIZE = auto()
    CHUNK = auto()
    CHUNK_END = auto()
    TRAILER = auto()
    DELAYED = auto()  # the answer is held back
    CONTROL = auto()  # the answer is made elsewhere


class HttpResponder(Responder):
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
        self._head = b""
        self._data = bytearray()
        self._scanned = 0  # no end of a head before this
        self._mode = _Mode.HEAD
        self._raw = RawKeeper(MAX_RAW_BYTES)
        self._method = self._target = self._host = ""
        self._left = 0
        self._body_bytes = 0
        self._close_after = False
        self._request_count = 0
        self._held: list[Output] = []
        self._held_until_ns = 0

    @property
    def held_bytes(self) -> int:
        """Bytes not understood yet."""
        return len(self._data)

    @property
    def next_wakeup_ns(self) -> int | None:
        """The deadline, or when a delayed answer is due."""
        if self._mode is _Mode.CONTROL:
            return None  # who makes the answer keeps the time
        due_ns = super().next_wakeup_ns
        return due_ns if due_ns is None or self._mode is not _Mode.DELAYED else self._held_until_ns

    def answered(self, reply: bytes, now_ns: int, _stream: int = 0) -> list[Output]:
        """The answer to a control request is there: `reply` is its bytes."""
        if self.ended or self._mode is not _Mode.CONTROL:
            return []
        self._now_ns = self._last_byte_ns = now_ns
        return [Send(reply), *self._done(), *self._read()]

    def _received(self, data: bytes) -> list[Output]:
        self._data += data
        if self._mode in _PAUSED and len(self._data) > MAX_AHEAD_BYTES:
            return self._finish("too much sent ahead")
        return self._read()

    def _woken(self) -> list[Output]:
        if self._mode is not _Mode.DELAYED:
            return self._broken("too slow")
        held, self._held = self._held, []
        self._last_byte_ns = self._now_ns
        return [*held, *self._done(), *self._read()]

    def _read(self) -> list[Output]:
        outputs: list[Output] = []
        while not self.ended and self._data and self._mode not in _PAUSED:
            before = len(self._data), self._mode
            outputs += _STEPS[self._mode](self)
            if (len(self._data), self._mode) == before:
                break
        return outputs

    # The head.

    def _read_head(self) -> list[Output]:
        if not self._raw.total_bytes:
            self._skip_empty_lines()
        end = _HEAD_END.search(self._data, max(0, self._scanned - 3), MAX_HEAD_BYTES)
        if end is None:
            self._scanned = len(self._data)
            if len(self._data) >= MAX_HEAD_BYTES:
                return self._refuse(431, "head longer than the bound", bytes(self._data[:MAX_HEAD_BYTES]))
            return []
        head = self._take(end.end())
        self._scanned = 0
        return self._begin(head)

    def _skip_empty_lines(self) -> None:
        """Before a request line (RFC 9112 section 2.2); they are part of no request."""
        if self._data.startswith((b"\r", b"\n")):
            self._data = self._data.lstrip(b"\r\n")
            self._scanned = 0

    def _begin(self, head: bytes) -> list[Output]:
        self._head = head
        line, _, rest = head.partition(b"\n")
        found = _REQUEST_LINE.match(line.rstrip(b"\r"))
        if found is None:
            return self._refuse(400, "no HTTP request line")
        self._method, self._target = found[1].decode("ascii"), found[2].decode("latin-1")
        fields = _fields(rest)
        self._host = _last(fields, b"host").decode("latin-1")
        connection = _last(fields, b"connection").lower()
        self._close_after = b"close" in connection or (found[3], found[4]) == (b"1", b"0")
        return self._begin_body(fields)

    def _begin_body(self, fields: list[tuple[bytes, bytes]]) -> list[Output]:
        lengths = {value for name, value in fields if name == b"content-length"}
        chunked = b"chunked" in _last(fields, b"transfer-encoding").lower()
        if len(lengths) > 1 or any(not _LENGTH.fullmatch(length) for length in lengths):
            return self._refuse(400, "length is none, or several")
        self._left = 0 if chunked or not lengths else int(lengths.pop())
        if self._left > MAX_BODY_BYTES:
            return self._refuse(413, "body longer than the bound")
        if not chunked and not self._left:
            return self._request_done()
        self._mode = _Mode.CHUNK_SIZE if chunked else _Mode.BODY
        return [Send(_CONTINUE)] if _last(fields, b"expect").lower() == b"100-continue" else []

    # The body.

    def _read_body(self) -> list[Output]:
        self._left -= len(self._take(min(self._left, len(self._data))))
        return [] if self._left else self._request_done()

    def _read_chunk_size(self) -> list[Output]:
        line = self._chunk_line()
        if line is None:
            return self._chunk_line_missing()
        found = _CHUNK.fullmatch(line)
        if found is None:
            return self._refuse(400, "no chunk size")
        self._left = int(found[1], 16)
        self._body_bytes += self._left
        if self._body_bytes > MAX_BODY_BYTES:
            return self._refuse(413, "body longer than the bound")
        self._mode = _Mode.CHUNK if self._left else _Mode.TRAILER
        return []

    def _read_chunk(self) -> list[Output]:
        self._left -= len(self._take(min(self._left, len(self._data))))
        if not self._left:
            self._mode = _Mode.CHUNK_END
        return []

    def _read_chunk_end(self) -> list[Output]:
        line = self._chunk_line()
        if line is None:
            return self._chunk_line_missing()
        if line.rstrip(b"\r\n"):
            return self._refuse(400, "chunk longer than its size")
        self._mode = _Mode.CHUNK_SIZE
        return []

    def _read_trailer(self) -> list[Output]:
        line = self._chunk_line()
        if line is None:
            return self._chunk_line_missing()
        if not line.rstrip(b"\r\n"):
            return self._request_done()
        self._body_bytes += len(line)
        return self._refuse(413, "body longer than the bound") if self._body_bytes > MAX_BODY_BYTES else []

    def _chunk_line(self) -> bytes | None:
        end = self._data.find(b"\n", 0, MAX_CHUNK_LINE_BYTES) + 1
        return self._take(end) if end else None

    def _chunk_line_missing(self) -> list[Output]:
        return self._refuse(400, "chunk line too long") if len(self._data) >= MAX_CHUNK_LINE_BYTES else []

    # The answer.

    def _request_done(self) -> list[Output]:
        path, _, query = self._target.partition("?")
        asked = Asked(self._method, path, query, self._host)
        self._request_count += 1
        self._close_after = self._close_after or self._request_count >= MAX_REQUESTS
        if self._control is not None and self._control(asked):
            self._mode = _Mode.CONTROL
            return [self._to_control()]
        answer = answer_to(asked, self._site)
        reply = write_answer(answer, self._site, head_only=self._method == "HEAD", close=self._close_after)
        outputs: list[Output] = [self._report(response=reply)]
        if answer.delay_s <= 0:
            return [*outputs, Send(reply), *self._done()]
        self._mode = _Mode.DELAYED
        self._held = [Send(reply)]
        self._held_until_ns = self._now_ns + int(min(answer.delay_s, MAX_DELAY_S) * SECOND_NS)
        return outputs

    def _to_control(self) -> Control:
        raw, size = self._raw.take()
        fields = _fields(self._head.partition(b"\n")[2])
        chunked = b"chunked" in _last(fields, b"transfer-encoding").lower()
        return Control(
            self._method,
            self._target,
            tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields),
            raw[len(self._head) :],
            whole=size == len(raw) and not chunked,
        )

    def _done(self) -> list[Output]:
        """The request was answered: go on to the next, or end."""
        self._reset()
        self._message_done()
        return self._finish("answered") if self._close_after else []

    def _refuse(self, status: int, reason: str, rest: bytes = b"") -> list[Output]:
        """Keep what cannot be understood, say so, and end: where the next request would begin is not known."""
        self._raw.add(rest)
        reply = write_answer(HttpAnswer(status), self._site, close=True)
        report = self._report(response=reply, malformed=reason)
        self._reset()
        return [report, Send(reply), *self._finish(reason)]

    def _report(self, *, response: bytes = b"", malformed: str = "") -> HttpInteraction:
        raw, size = self._raw.take()
        return HttpInteraction(
            ts_ns=self._now_ns,
            peer=self.peer,
            raw_request=raw,
            raw_response=response[:MAX_RAW_BYTES],
            request_bytes=size,
            malformed=malformed,
            method=self._method,
            target=self._target,
            host=self._host,
        )

    def _take_unread(self) -> bytes:
        rest = bytes(self._data)
        self._data.clear()
        return rest

    def _last_words(self, reason: str, rest: bytes) -> list[Output]:
        """A request that was not finished is reported as far as it came."""
        self._raw.add(rest)
        return [self._report(malformed=f"unfinished: {reason}")] if self._raw.total_bytes else []

    def _reset(self) -> None:
        self._mode = _Mode.HEAD
        self._method = self._target = self._host = ""
        self._head = b""
        self._left = self._body_bytes = self._scanned = 0

    def _take(self, count: int) -> bytes:
        data = bytes(self._data[:count])
        del self._data[:count]
        self._raw.add(data)
        return data


_PAUSED = frozenset({_Mode.DELAYED, _Mode.CONTROL})
_STEPS = {
    _Mode.HEAD: HttpResponder._read_head,
    _Mode.BODY: HttpResponder._read_body,
    _Mode.CHUNK_SIZE: HttpResponder._read_chunk_size,
    _Mode.CHUNK: HttpResponder._read_chunk,
    _Mode.CHUNK_END: HttpResponder._read_chunk_end,
    _Mode.TRAILER: HttpResponder._read_trailer,
}


def _fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """Header fields with names in lower case; lines that are none are left out."""
    fields = []
    for line in head.split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            fields.append((name.strip().lower(), value.strip()))
    return fields


def _last(fields: list[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    return next((value for name, value in reversed(fields) if name == wanted), b"")
