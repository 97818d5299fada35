"""Flow records from several processes: one per file, or one per member of a fanout group on an interface.

A stream is not split by hash here: each half would walk every record of it, which measured gains little. Files and the
kernel's fanout are divided before anybody reads.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, Self

from msgspec.structs import replace

from lapwing.app.flow_reading import Records
from lapwing.app.paths import Paths
from lapwing.app.shard_worker import Share, memory_bytes, slots_in, work
from lapwing.events import SettingsError, SourceError
from lapwing.flows import FlowSettings
from lapwing.io.capture import LiveSettings, expand_paths, processors

MAX_WORKERS = 256
JOIN_S = 10.0  # for a worker that was told to end


class ShardedFlows:
    """Flow records of several processes. A context manager; iterate `records()`, once.

    A flow's packets must be in one share: name files that do not cut flows in two, or let the kernel divide by hash.
    `flow_id` counts within a worker.
    """

    def __init__(self, shares: Sequence[Share]) -> None:
        """See `shard_flows`."""
        context = multiprocessing.get_context("spawn")  # nothing of this process, its threads least of all, is copied
        self._pipes: dict[Connection, int] = {}
        self._slots: list[list[Records]] = []
        self._workers = []
        self._statistics: dict[str, int] = {}
        self.failed: list[str] = []
        for number, share in enumerate(shares):
            ours, theirs = context.Pipe()
            memory = context.RawArray("b", memory_bytes(share))
            worker = context.Process(target=work, args=(theirs, share, memory), name=f"lapwing-{number}", daemon=True)
            worker.start()
            theirs.close()
            self._workers.append(worker)
            self._slots.append(slots_in(memory, share))
            self._pipes[ours] = number
        try:
            self._begin_together()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def records(self) -> Iterator[tuple[int, Records]]:
        """Number of a worker and records of it (as `flows(...).records()` has them), as they come; its own in order.

        An array is valid until the next one is asked for: copy what is kept. One without rows only means that time has
        passed. A worker that fails is listed in `failed`; the others go on. Raises SourceError when all of them failed.
        """
        while self._pipes:
            for pipe in wait(list(self._pipes)):
                assert isinstance(pipe, Connection)
                number = self._pipes[pipe]
                records = self._receive(pipe)
                if records is not None:
                    yield number, records
                    if len(records):
                        _tell(pipe, "freed")
        if self.failed and len(self.failed) == len(self._workers):
            raise SourceError("; ".join(self.failed))

    def stop(self) -> None:
        """Read no further input; the records of flows still open follow. Callable from a signal."""
        for pipe in self._pipes:
            _tell(pipe, "stop")

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
        now_ns = time.time_ns()
        for pipe in self._pipes:
            _tell(pipe, now_ns)

    def _receive(self, pipe: Connection) -> Records | None:
        """Take one message; records, if it brings some."""
        number = self._pipes[pipe]
        try:
            kind, value = pipe.recv()
        except (EOFError, ConnectionResetError):
            kind, value = "failed", f"worker {number} ended without a word"
        if kind == "ready":
            return None
        if kind == "records":
            slot, rows = value
            records: Records = self._slots[number][slot][:rows]
            records.flags.writeable = False
            return records
        if kind == "failed":
            self.failed.append(value)
        else:
            for name, count in value.items():
                self._statistics[name] = self._statistics.get(name, 0) + count
        self._pipes.pop(pipe)
        pipe.close()
        return None


def _tell(pipe: Connection, order: Any) -> None:
    try:
        pipe.send(order)
    except OSError:  # it has ended; what it said last is still to be read
        return


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
    count = workers if workers is not None else processors()
    if not 1 <= count <= MAX_WORKERS:
        raise SettingsError(f"workers: {count} is not between 1 and {MAX_WORKERS}")
    if interface is not None:
        live = live or LiveSettings()
        if live.fanout_group is None:
            live = replace(live, fanout_group=os.getpid() & 0xFFFF)
        return ShardedFlows([Share((), interface, live, settings, filter, verify_checksums)] * count)
    found = expand_paths([str(path) for path in paths])
    count = min(count, len(found))
    ahead = processors() >= 2 * count  # else every processor has its worker, and a second thread would only disturb
    shares = [tuple(found[number::count]) for number in range(count)]
    return ShardedFlows([Share(one, None, None, settings, filter, verify_checksums, ahead) for one in shares])
