"""One process of several that read flow records: its share, and the shared memory its records go through."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Semaphore, Thread
from typing import Any, NamedTuple, NoReturn

import numpy as np

from lapwing.app.flow_reading import FlowReading, Records
from lapwing.app.paths import Paths
from lapwing.events import LapwingError
from lapwing.flows import RECORD_DTYPE, FlowSettings, full_dtype
from lapwing.io.capture import LiveSettings

SLOT_ROWS = 4_096  # records handed over at once, about 1 MB: few messages, and a slot stays in a processor's cache
SLOTS = 4  # of a worker; when all wait to be read, the worker waits too
SEND_S = 0.1  # a record waits at most this long for others to go with it


class Share(NamedTuple):
    """What one worker reads."""

    paths: tuple[Paths, ...] = ()
    interface: str | None = None
    live: LiveSettings | None = None
    settings: FlowSettings | None = None
    filter: str | None = None
    verify_checksums: bool = False
    ahead: bool = False

    @property
    def dtype(self) -> np.dtype[np.void]:
        """Layout of its records."""
        settings = self.settings or FlowSettings()
        return full_dtype(settings.early_packets) if settings.features else RECORD_DTYPE


def memory_bytes(share: Share) -> int:
    """Shared memory one worker needs."""
    return SLOTS * SLOT_ROWS * share.dtype.itemsize


def slots_in(memory: Any, share: Share) -> list[Records]:
    """The slots of a worker's memory."""
    rows = np.frombuffer(memory, share.dtype)
    return [rows[at : at + SLOT_ROWS] for at in range(0, len(rows), SLOT_ROWS)]


class Outbox:
    """Records on their way: they fill one slot after the other, and of a full one the parent is told."""

    def __init__(self, pipe: Connection, slots: list[Records]) -> None:
        self._pipe = pipe
        self._slots = [slot.view(np.uint8) for slot in slots]
        self._row_bytes = slots[0].dtype.itemsize
        self._free = Semaphore(len(slots))
        self._current = 0
        self._filled = 0
        self._since = 0.0
        self._left_alone = False

    def put(self, records: Records) -> None:
        """Take records; none at all means that time has passed. Raises BrokenPipeError when nobody listens."""
        at = 0
        while at < len(records):
            if not self._filled:
                self._begin()
            part = records[at : at + SLOT_ROWS - self._filled].view(np.uint8)
            start = self._filled * self._row_bytes
            self._slots[self._current][start : start + len(part)] = part
            rows = len(part) // self._row_bytes
            self._filled += rows
            at += rows
            if self._filled == SLOT_ROWS:
                self.send()
        if self._filled and (not at or time.monotonic() - self._since >= SEND_S):
            self.send()
        elif not at:
            self._pipe.send(("records", (0, 0)))

    def send(self) -> None:
        """Hand over what is there."""
        if self._filled:
            self._pipe.send(("records", (self._current, self._filled)))
            self._current = (self._current + 1) % len(self._slots)
            self._filled = 0

    def freed(self) -> None:
        """The parent has read a slot: they come back in the order in which they went."""
        self._free.release()

    def leave_alone(self) -> None:
        """Nobody listens any more."""
        self._left_alone = True
        self._free.release()

    def _begin(self) -> None:
        self._free.acquire()
        if self._left_alone:
            raise BrokenPipeError
        self._since = time.monotonic()


def work(pipe: Connection, share: Share, memory: Any) -> NoReturn:
    """One worker, a process of its own: read its share, send what it finds, and end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes at once; the parent decides
    _read(pipe, share, memory)
    pipe.close()
    for stream in (sys.stdout, sys.stderr):  # the caller's program may print where it is imported
        with suppress(AttributeError, ValueError, OSError):  # there is none, it is closed, or nobody reads it
            stream.flush()
    # All has been said, and the parent waits for the end. Taking modules and tables apart one by one before the system
    # takes them whole would keep it waiting for some 60 ms.
    os._exit(0)


def _read(pipe: Connection, share: Share, memory: Any) -> None:
    outbox = Outbox(pipe, slots_in(memory, share))
    try:
        try:
            with _open(share) as reading:
                pipe.send(("ready", None))
                reading.begin_at(pipe.recv())
                Thread(target=_obey, args=(pipe, reading, outbox), daemon=True).start()
                for records in reading.records():
                    outbox.put(records)
                outbox.send()
                pipe.send(("statistics", reading.statistics()))
        except LapwingError as error:
            outbox.send()
            pipe.send(("failed", str(error)))
    except (BrokenPipeError, ConnectionResetError, EOFError):
        return  # nobody listens any more


def _open(share: Share) -> FlowReading:
    options: dict[str, Any] = share._asdict()
    return FlowReading(options.pop("paths"), **options)


def _obey(pipe: Connection, reading: FlowReading, outbox: Outbox) -> None:
    """Do what the parent says until it has gone."""
    for order in _orders(pipe):
        if order == "freed":
            outbox.freed()
        else:
            reading.stop()
    reading.stop()
    outbox.leave_alone()


def _orders(pipe: Connection) -> Iterator[str]:
    try:
        while True:
            yield pipe.recv()
    except (EOFError, OSError):
        return
