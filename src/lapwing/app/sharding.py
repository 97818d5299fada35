"""Flow records from several processes: one per file, or one per member of a fanout group on an interface.

A stream is not split by hash here: each half would walk every record of it, which measured gains little. Files and the
kernel's fanout are divided before anybody reads.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple, Self

import numpy as np

from lapwing.app.flow_reading import FlowReading, Records
from lapwing.app.flow_reading import flows as open_flows
from lapwing.app.reading import Paths
from lapwing.events import LapwingError, SettingsError, SourceError
from lapwing.flows import RECORD_DTYPE, FlowSettings
from lapwing.io.capture import LiveSettings, expand_paths

MAX_WORKERS = 256
SEND_ROWS = 4_096  # records of one message, about 1 MB: what a pipe holds back is bounded by this and its own buffer
JOIN_S = 10.0  # for a worker that was told to end


class Share(NamedTuple):
    """What one worker reads."""

    paths: tuple[str, ...] = ()
    interface: str | None = None
    live: LiveSettings | None = None
    settings: FlowSettings | None = None
    filter: str | None = None
    verify_checksums: bool = False


class ShardedFlows:
    """Flow records of several processes. A context manager; iterate `records()`, once.

    A flow's packets must be in one share: name files that do not cut flows in two, or let the kernel divide by hash.
    `flow_id` counts within a worker.
    """

    def __init__(self, shares: Sequence[Share]) -> None:
        """See `shard_flows`."""
        context = multiprocessing.get_context("spawn")  # nothing of this process, its threads least of all, is copied
        self._pipes: dict[Connection, int] = {}
        self._workers = []
        self._statistics: dict[str, int] = {}
        self.failed: list[str] = []
        for number, share in enumerate(shares):
            ours, theirs = context.Pipe()
            worker = context.Process(target=_work, args=(theirs, share), name=f"lapwing-{number}", daemon=True)
            worker.start()
            theirs.close()
            self._workers.append(worker)
            self._pipes[ours] = number
        self._begin_together()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def records(self) -> Iterator[tuple[int, Records]]:
        """Number of a worker and records (RECORD_DTYPE) of it, as they come; its own are in order.

        A worker that fails is listed in `failed`; the others go on. Raises SourceError when all of them failed.
        """
        while self._pipes:
            for pipe in wait(list(self._pipes)):
                assert isinstance(pipe, Connection)
                records = self._receive(pipe)
                if records is not None:
                    yield self._pipes[pipe], records
        if self.failed and len(self.failed) == len(self._workers):
            raise SourceError("; ".join(self.failed))

    def stop(self) -> None:
        """Read no further input; the records of flows still open follow."""
        for pipe in self._pipes:
            pipe.send_bytes(b"stop")

    def statistics(self) -> dict[str, int]:
        """Counters of the workers that have ended, added up."""
        return dict(self._statistics)

    def close(self) -> None:
        """End the workers. Records not read by then are gone."""
        for pipe in self._pipes:
            pipe.close()
        self._pipes.clear()
        for worker in self._workers:
            worker.join(JOIN_S)
            if worker.is_alive():
                worker.terminate()
                worker.join(JOIN_S)

    def _begin_together(self) -> None:
        """They begin when the last is there: until then the first members of a fanout group get what is another's."""
        for pipe in list(self._pipes):
            self._receive(pipe)
        now = str(time.time_ns()).encode()
        for pipe in self._pipes:
            pipe.send_bytes(now)

    def _receive(self, pipe: Connection) -> Records | None:
        try:
            kind = pipe.recv_bytes()
            if kind == b"records":
                return np.frombuffer(pipe.recv_bytes(), RECORD_DTYPE)
            if kind == b"ready":
                return None
            if kind == b"failed":
                self.failed.append(pipe.recv_bytes().decode())
            else:
                for name, value in pipe.recv().items():
                    self._statistics[name] = self._statistics.get(name, 0) + value
        except EOFError:
            self.failed.append(f"worker {self._pipes[pipe]} ended without a word")
        self._pipes.pop(pipe)
        pipe.close()
        return None


def _work(pipe: Connection, share: Share) -> None:
    """One worker: read its share and send what it finds."""
    try:
        with _open(share) as reading:
            pipe.send_bytes(b"ready")
            reading.begin_at(int(pipe.recv_bytes()))
            for records in reading.records():
                for at in range(0, max(len(records), 1), SEND_ROWS):  # an empty one says that time has passed
                    pipe.send_bytes(b"records")
                    pipe.send_bytes(records[at : at + SEND_ROWS].tobytes())
                if pipe.poll():
                    reading.stop()
            pipe.send_bytes(b"statistics")
            pipe.send(reading.statistics())
    except LapwingError as error:
        pipe.send_bytes(b"failed")
        pipe.send_bytes(str(error).encode())
    except (BrokenPipeError, ConnectionResetError, EOFError):
        return  # nobody listens any more


def _open(share: Share) -> FlowReading:
    options: dict[str, Any] = share._asdict()
    return open_flows(*options.pop("paths"), **options)


def shard_flows(
    *paths: Paths,
    workers: int | None = None,
    settings: FlowSettings | None = None,
    filter: str | None = None,  # noqa: A002 - the word every capture tool uses
    verify_checksums: bool = False,
    interface: str | None = None,
    live: LiveSettings | None = None,
) -> ShardedFlows:
    """Divide captures, or the packets of an interface, among processes; `workers` is one per core by default.

    Captures are dealt out in turn, each whole: no more workers than captures are started. On an interface the workers
    are members of one fanout group, which divides by flow; `live.fanout_group` names it, else one is made up.
    Raises SettingsError for a number of workers out of range, SourceError for a path that does not exist.
    """
    count = workers if workers is not None else len(os.sched_getaffinity(0))
    if not 1 <= count <= MAX_WORKERS:
        raise SettingsError(f"workers: {count} is not between 1 and {MAX_WORKERS}")
    if interface is not None:
        live = live or LiveSettings()
        group = live.fanout_group if live.fanout_group is not None else os.getpid() & 0xFFFF
        live = LiveSettings(**{**{name: getattr(live, name) for name in live.__struct_fields__}, "fanout_group": group})
        share = Share((), interface, live, settings, filter, verify_checksums)
        return ShardedFlows([share] * count)
    found = expand_paths([str(path) for path in paths])
    shares = [tuple(found[number::count]) for number in range(min(count, len(found)))]
    return ShardedFlows([Share(one, None, None, settings, filter, verify_checksums) for one in shares])
