"""Where events go on their way out of the program: standard output or a file, in one of the shapes."""

import csv
import io
from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from lapwing.app.eve import eve
from lapwing.app.formats import ELSEWHERE, Format
from lapwing.app.shapes import csv_row, ndjson
from lapwing.events import Event, SettingsError


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
        if not events:
            return
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
        self._stream.write(data)
        self._stream.flush()

    def finish(self) -> None:
        """Write what ends the output."""
        if self._format is Format.JSON:
            self._stream.write(b"\n]\n" if self._started else b"[]\n")
        elif self._format is Format.CSV and not self._started:
            self._stream.write(self._csv([]))
        self._stream.flush()

    def _csv(self, rows: list[list[object]]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self._started:
            writer.writerow(self._columns)
        writer.writerows(rows)
        return text.getvalue().encode("utf-8", "backslashreplace")
