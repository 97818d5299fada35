"""Where events go on their way out of the program: standard output or a file, in one of the shapes."""

import csv
import io
import math
import os
import select
import time
from collections import deque
from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from lapwing.app.eve import eve
from lapwing.app.formats import ELSEWHERE, Format
from lapwing.app.shapes import csv_row, ndjson
from lapwing.events import Event, SettingsError, StoreError

MAX_WAITING_BYTES = 16 * 2**20  # of events that the output does not take for now
CHUNK_BYTES = 4096  # a pipe that says it can be written to takes so much without waiting for its reader
PATIENCE_S = 1.0  # at the end, for a reader that takes nothing
END_S = 10.0  # at the end, for one that takes little: who waits for the program has less patience than it has to say
STANDARD_OUTPUT = "standard output"


class Writer:
    """Writes events to a binary stream as they come; `finish` completes what the format needs at its end.

    Every call hands its bytes on at once, so that a reader at the other end of a pipe sees them, and an error of the
    stream (BrokenPipeError, a full disk) meets the caller here.
    """

    def __init__(self, stream: BinaryIO, output: Format, columns: Sequence[str] = ()) -> None:
        """`columns` are those of CSV. `table` is no stream of events; see `render`."""
        if output in ELSEWHERE:
            raise SettingsError(ELSEWHERE[output])
        self._stream = stream
        self._format = output
        self._columns = columns
        self._encoder = msgspec.json.Encoder()
        self._started = False

    def write(self, events: Sequence[Event]) -> None:
        """Write some events."""
        if events:
            self._stream.write(self._encoded(events))
            self._stream.flush()

    def finish(self) -> None:
        """Write what ends the output."""
        self._stream.write(self._ending())
        self._stream.flush()

    def _encoded(self, events: Sequence[Event]) -> bytes:
        match self._format:
            case Format.CSV:
                data = self._csv([csv_row(event, self._columns) for event in events])
            case Format.EVE:
                data = self._encoder.encode_lines([eve(event) for event in events])
            case Format.JSON:
                separator = b",\n" if self._started else b"[\n"
                data = separator + b",\n".join(map(self._encoder.encode, events))
            case _:
                data = ndjson(events)
        self._started = True
        return data

    def _ending(self) -> bytes:
        if self._format is Format.JSON:
            return b"\n]\n" if self._started else b"[]\n"
        if self._format is Format.CSV and not self._started:
            return self._csv([])
        return b""

    def _csv(self, rows: list[list[object]]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self._started:
            writer.writerow(self._columns)
        writer.writerows(rows)
        return text.getvalue().encode("utf-8", "backslashreplace")


class PatientWriter(Writer):
    """The same for who must go on whatever becomes of the output: `write` only takes, and `hand_on` writes.

    What the output does not take, as its disk is full or its reader is slow or gone, waits: `MAX_WAITING_BYTES` and the
    last list of events. Those beyond are counted in `lost_count`.
    """

    def __init__(self, stream: BinaryIO, output: Format, columns: Sequence[str] = ()) -> None:
        """`stream` has a file descriptor, and nothing else writes to it. Raises SettingsError as a Writer does."""
        super().__init__(stream, output, columns)
        self.lost_count = 0
        self._descriptor = stream.fileno()
        self._waiting: deque[tuple[memoryview, int]] = deque()  # and the events that are in it
        self._waiting_bytes = 0

    def write(self, events: Sequence[Event]) -> None:
        """Take some events."""
        if self._waiting_bytes >= MAX_WAITING_BYTES:
            self.lost_count += len(events)
        elif events:
            self._take(self._encoded(events), len(events))

    def hand_on(self, patience_s: float = 0.0, end_s: float = math.inf) -> bool | None:
        """Write what is taken at once, or within `patience_s` each time and `end_s` in all; None if nothing is.

        Raises:
            StoreError: It cannot be written, and waits on.
        """
        done = None
        end = time.monotonic() + end_s
        while self._waiting and time.monotonic() < end and select.select((), (self._descriptor,), (), patience_s)[1]:
            data, count = self._waiting[0]
            try:
                written = os.write(self._descriptor, data[:CHUNK_BYTES])
            except OSError as error:
                raise StoreError(f"{STANDARD_OUTPUT}: cannot be written: {error.strerror}") from None
            self._waiting_bytes -= written
            if written == len(data):
                self._waiting.popleft()
            else:
                self._waiting[0] = data[written:], count
            done = True
        return done

    def finish(self) -> None:
        """Write what waits and what ends the output; what is not taken even now is lost. Raises StoreError."""
        self._take(self._ending(), 0)
        try:
            self.hand_on(PATIENCE_S, END_S)
        finally:
            self.lost_count += sum(count for _, count in self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0

    def _take(self, data: bytes, count: int) -> None:
        if data:
            self._waiting.append((memoryview(data), count))
            self._waiting_bytes += len(data)
