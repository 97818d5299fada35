"""One side of an HTTP/1.x connection: heads, bodies, and the way back after a hole or garbage.

Each state has a method that takes bytes from a position and returns where it stopped; the current one is `_state`.
"""

import re
from typing import Any

from lapwing.events import Message
from lapwing.protocols.http.bodies import MAX_BODY_BYTES, Body, ChunkError, Chunks
from lapwing.protocols.http.framing import CHUNKED, UNTIL_CLOSE
from lapwing.protocols.http.heads import is_no_http

MAX_HEAD_BYTES = 64 * 1024  # per message; longer ends the parser: servers refuse such heads too
MAX_START_LINE_BYTES = 8192  # looked back for when seeking a message start; servers accept no longer ones
_LINE_END = b"\r\n"
START_BYTES = 32  # of a head, enough to see that it is none
ENDLESS_BYTES = 1 << 62  # idle, when only the end of the connection ends a body

# States: what the next bytes are.
_HEAD, _SIZED, _CHUNKED, _REST, _SEEK = range(5)


class SideReader:
    """Ordered bytes of one side in, messages out. Subclasses know the heads of theirs; this one alone knows none."""

    def __init__(self, start_line: re.Pattern[bytes]) -> None:
        """`start_line` finds a whole start line of at most MAX_START_LINE_BYTES anywhere."""
        self._start_line = start_line
        self.countdown = 0  # bytes of a body still to come that need no look: its kept part is full
        self.skipped_bytes = 0  # bytes that belonged to no message
        self.lost = False  # heads may have been missed since the last one that was read
        self.refused: str | None = None  # why the bytes are no HTTP; final
        self.stopped = False  # the connection speaks something else from here on
        self.left_over = b""  # what came of that already
        self._unheard = False  # nobody wants the message whose head came last: it is only counted
        self._framing = 0  # of the body that follows the usual head that was taken last
        self._granted = 0  # what `idle` said last
        self._state = _HEAD
        self._held = bytearray()  # the start of a head; while seeking, the line seen so far
        self._again: bytes | None = None  # held bytes to be read again by another state
        self._left = 0  # bytes of a body of known length still to come
        self._body: Body | None = None
        self._chunks: Chunks | None = None  # while a body comes in chunks
        self._out: list[Message | None] = []

    def could_start(self, start: bytes) -> bool:
        """Tell whether the first bytes of a head, however few, may begin one. False is final."""
        return False

    def begin_usual(self, head: bytes) -> int | None:
        """Like `begin`, for heads as nearly all are; None says nothing of the head."""
        return None

    def take_usual(self, data: bytes, pos: int) -> int:
        """Take the head that starts at `pos` if it is as nearly all are; return where it ends, -1 when it is not taken.

        Sets `_framing`, and `_unheard` when nobody wants the message.
        """
        end = _head_end(data, pos)
        framing = self.begin_usual(data[pos:end]) if 0 <= end - pos <= MAX_HEAD_BYTES else None
        if framing is None:
            return -1
        self._framing = framing
        return end

    def begin(self, head: bytes) -> int | None:
        """Take a head; return the framing of its body (length, CHUNKED or UNTIL_CLOSE), None when it is no head."""
        return None

    def finish(self, body: Body | None) -> Message | None:
        """Return the message whose head came last, `body` being None when it has none; None without such a head."""
        return None

    def content(self) -> Any:
        """Return what reads the file in the body of the message whose head came last, None where nobody asks."""
        return None

    def spoke_before(self) -> bool:
        """Tell whether anything of this connection was understood: then garbage is skipped, else refused."""
        return False

    def absorb(self, data: bytes) -> bool:
        """Take the next bytes if they lie all within a body and do not end it: most bytes do."""
        body = self._body
        size = len(data)
        if body is None:
            return False
        if self._left > size:
            self._left -= size
            body.add_all(data, size)
            if body.full:
                self._count_down(body)
            return True
        if self.countdown > size:
            self.countdown -= size
            return True
        chunks = self._chunks
        if chunks is not None and chunks.left > size:
            chunks.left -= size
            body.add_all(data, size)
            return True
        return False

    def idle(self) -> int:
        """Return how many of the next bytes need no look: they belong to a body of which no more is kept.

        Whoever leaves some of them out says so with `wake`.
        """
        body, chunks = self._body, self._chunks
        idle = 0
        if body is not None and body.full:
            if self._state == _REST:
                idle = ENDLESS_BYTES
            else:  # without the last byte, which ends the body or the chunk
                idle = max((self.countdown if chunks is None else chunks.left) - 1, 0)
        self._granted = idle
        return idle

    def wake(self, left: int) -> None:
        """Of the bytes that `idle` told last, all but `left` went by."""
        passed = self._granted - left
        self._granted = 0
        body = self._body
        if passed and body is not None:
            if self.countdown:
                self.countdown -= passed
            else:
                body.size += passed
                if self._chunks is not None:
                    self._chunks.left -= passed

    def feed(self, data: bytes) -> list[Message | None]:
        """Take the next bytes."""
        out = self._out = []
        pos, end = 0, len(data)
        while pos < end and self.refused is None and not self.stopped:
            pos = self._read(data, pos)
            if self._again is not None:
                data = self._again + data[pos:]
                self._again = None
                pos, end = 0, len(data)
        if self.stopped:
            self.left_over = data[pos:]
        return out

    def gap(self, missing_bytes: int) -> list[Message | None]:
        """Go on after a hole: within a body of known size it is counted, elsewhere the next start line is sought."""
        out = self._out = []
        body = self._body
        if body is None:
            self._lose_sync()
        elif self._state == _REST:
            body.lose(missing_bytes)
        elif self._state == _CHUNKED:
            if self._chunks is None or not self._chunks.skip(missing_bytes, body):
                self._cut()
        elif missing_bytes <= self._left + self.countdown:
            self._skip_sized(missing_bytes, body)
        else:
            self._cut()
        return out

    def close(self, clean: bool) -> list[Message | None]:
        """End the side. A body that runs until then is complete when the end was `clean`."""
        out = self._out = []
        self.skipped_bytes += len(self._held)
        self._held.clear()
        if self._body is not None:
            self._body.complete = self._body.complete and clean and self._state == _REST
            self._end_message()
        return out

    def _read(self, data: bytes, pos: int) -> int:
        """Take bytes as the state has it."""
        state = self._state
        if state == _HEAD:
            return self._read_head(data, pos)
        if state == _SIZED:
            return self._read_sized(data, pos)
        if state == _CHUNKED:
            return self._read_chunked(data, pos)
        return self._read_rest(data, pos) if state == _REST else self._seek(data, pos)

    # Heads

    def _read_head(self, data: bytes, pos: int) -> int:
        held = self._held
        if held:
            seen = len(held)
            held += data[pos:]
            end = _head_end(held, max(seen - 2, 0))
            if end < 0:
                return self._hold(data)
            joined = bytes(held)
            held.clear()
            if self._take_usual(joined, 0) >= 0 or self._accept(joined[:end]):
                return pos + end - seen
            self._again = None if self.refused else joined
            return len(data)
        while data[pos] in _LINE_END:  # RFC 9112 2.2: empty lines before a start line are ignored
            pos += 1
            if pos == len(data):
                return pos
        end = self._take_usual(data, pos)
        if end >= 0:
            return end
        end = _head_end(data, pos)
        if end < 0:
            held += data[pos:]
            return self._hold(data)
        return end if self._accept(data[pos:end]) else pos

    def _hold(self, data: bytes) -> int:
        line_end = self._held.find(b"\n", 0, MAX_START_LINE_BYTES)
        if not self.could_start(bytes(self._held[: max(line_end + 1, START_BYTES)])):
            joined = bytes(self._held)
            self._held.clear()
            if self._meet_garbage(joined):
                self._again = None if self.refused else joined
            else:
                self._held += joined
        elif len(self._held) > MAX_HEAD_BYTES:
            self._refuse("head longer than 64 KiB")
        return len(data)

    def _take_usual(self, data: bytes, pos: int) -> int:
        """Begin the message whose head starts at `pos`; return where it ends, -1 when it is not usual or not whole."""
        end = self.take_usual(data, pos)
        if end >= 0:
            self._go_on(self._framing)
        return end

    def _accept(self, head: bytes) -> bool:
        """Begin the message of `head`, which is not usual; False when it is none."""
        if not self.could_start(head[:START_BYTES]):
            self._meet_garbage(head)
            return False
        if len(head) > MAX_HEAD_BYTES:
            self._refuse("head longer than 64 KiB")
            return True
        self._unheard = False
        framing = self.begin(head)
        if framing is None:
            self._meet_garbage(head)
            return False
        self._go_on(framing)
        return True

    def _go_on(self, framing: int) -> None:
        """A head came: go on with its body."""
        self.lost = False
        if framing == 0:
            self._end_message()
        else:
            self._begin_body(framing)

    def _meet_garbage(self, start: bytes) -> bool:
        """Skip what is no head, or refuse it all; False when it takes more bytes to tell."""
        if not (self.lost or self.spoke_before()):
            is_none = is_no_http(start)
            if is_none is None:
                return False
            if is_none:
                self._refuse("first bytes are no HTTP/1.x message")
                return True
        self._lose_sync()
        return True

    def _refuse(self, reason: str) -> None:
        self.refused = reason
        self._held.clear()
        self._again = None

    # Bodies

    def _begin_body(self, framing: int) -> None:
        self._body = Body(0 if self._unheard else MAX_BODY_BYTES, self.content())
        if framing == CHUNKED:
            self._chunks = Chunks()
            self._state = _CHUNKED
        elif framing == UNTIL_CLOSE:
            self._state = _REST
        else:
            self._left = framing
            self._state = _SIZED
            if self._unheard:
                self._count_down(self._body)

    def _read_sized(self, data: bytes, pos: int) -> int:
        body = self._body
        assert body is not None
        if self.countdown:
            step = min(self.countdown, len(data) - pos)
            self.countdown -= step
        else:
            step = min(self._left, len(data) - pos)
            body.add(data, pos, pos + step)
            self._left -= step
            if body.full:
                self._count_down(body)
        if self._left == self.countdown == 0:
            self._end_message()
        return pos + step

    def _count_down(self, body: Body) -> None:
        """From here on the body is only counted, and that in advance: see `countdown`."""
        body.size += self._left
        self.countdown = self._left
        self._left = 0

    def _skip_sized(self, missing_bytes: int, body: Body) -> None:
        if body.content is not None:
            body.lose(missing_bytes)
            self._left -= missing_bytes
            if self._left == 0:
                self._end_message()
            return
        body.complete = False
        if not self.countdown:
            self._count_down(body)
        self.countdown -= missing_bytes
        if self.countdown == 0:
            self._end_message()

    def _read_chunked(self, data: bytes, pos: int) -> int:
        body, chunks = self._body, self._chunks
        assert body is not None
        assert chunks is not None
        try:
            pos, ended = chunks.take(data, pos, body)
        except ChunkError as problem:
            self._cut()
            self._again = problem.held or None
            return problem.pos
        if ended:
            self._end_message()
        return pos

    def _read_rest(self, data: bytes, pos: int) -> int:
        assert self._body is not None
        self._body.add(data, pos, len(data))
        return len(data)

    def _end_message(self) -> None:
        body = self._body
        if body is not None:
            body.size -= self.countdown
        self.countdown = self._left = 0
        self._body = self._chunks = None
        self._state = _HEAD
        self._out.append(None if self._unheard else self.finish(body))

    # Holes and garbage

    def _cut(self) -> None:
        """End the message here, incomplete, and look for the next one."""
        if self._body is not None:
            self._body.complete = False
            self._end_message()
        self._lose_sync()

    def _lose_sync(self) -> None:
        self.skipped_bytes += len(self._held)
        self._held.clear()
        self.lost = True
        self._state = _SEEK

    def _seek(self, data: bytes, pos: int) -> int:
        """Look for the next start line, wherever in a line it begins: a body before it need not end in one."""
        last_line = data.rfind(b"\n", pos)
        if last_line < 0:
            self._hold_line(data, pos)
            return len(data)
        if self._held:
            self._again = bytes(self._held)
            self._held.clear()
            return pos
        start = self._start_line.search(data, pos)
        if start is not None:
            self.skipped_bytes += start.start() - pos
            self._state = _HEAD
            return start.start()
        self.skipped_bytes += last_line + 1 - pos
        self._hold_line(data, last_line + 1)
        return len(data)

    def _hold_line(self, data: bytes, pos: int) -> None:
        held = self._held
        held += data[pos:]
        if (
            excess := len(held) - MAX_START_LINE_BYTES
        ) > MAX_START_LINE_BYTES:  # not each time: deleting moves the rest
            self.skipped_bytes += excess
            del held[:excess]


def _head_end(data: bytes | bytearray, pos: int) -> int:
    """Return where the head that starts before `pos` ends, after its empty line; -1 when it does not end yet."""
    crlf = data.find(b"\n\r\n", pos)
    bare = data.find(b"\n\n", pos, crlf + 1 if crlf >= 0 else len(data))
    if bare >= 0:
        return bare + 2
    return crlf + 3 if crlf >= 0 else -1
