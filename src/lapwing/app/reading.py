"""`read` and `stream`: captures in, events out. The composition of source, driver and detection for one run."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from os import PathLike
from types import TracebackType
from typing import Any, Self

from lapwing.events import AnomalySeen, Event, SensorEnded, SensorFailed, SensorStarted, Severity, SourceError
from lapwing.io.capture import CaptureSource, Progress, expand_paths, open_capture
from lapwing.sessions import FAMILIES, PipelineSettings, RunKeys, SessionDriver, Wanted

Paths = str | PathLike[str]

_UNREAD = {
    "link_truncated": "wire.link_truncated",
    "ip_truncated": "wire.ip_truncated",
    "ip_malformed": "wire.ip_malformed",
    "transport_truncated": "wire.transport_truncated",
    "transport_malformed": "wire.transport_malformed",
    "unknown_link": "wire.unknown_link",
    "fragment": "wire.fragment",
    "bad_checksum": "wire.bad_checksum",
    "fault": "wire.fault",
}


def fresh_keys() -> RunKeys:
    """Make the secrets of one run."""
    return RunKeys(flow_key=secrets.token_bytes(16), tag_key=secrets.token_bytes(32))


class Reading:
    """The events of one or more captures, in order; iterate it, once.

    Use it as a context manager, or read it to its end: both close what was opened. `stop()` ends the input early, and
    the events that end open flows and findings still follow, so nothing that was seen is lost.
    """

    def __init__(
        self,
        paths: Iterable[Paths],
        *,
        settings: PipelineSettings | None = None,
        events: Iterable[str] = FAMILIES,
        filter: str | None = None,  # noqa: A002 - the word every capture tool uses
        count: int | None = None,
        sensor: str = "",
        keys: RunKeys | None = None,
        verify_checksums: bool = False,
    ) -> None:
        """See `read`."""
        self._paths = expand_paths([str(path) for path in paths])
        self._filter = filter
        self._count = count
        self._verify = verify_checksums
        self._driver = SessionDriver(
            settings or PipelineSettings(), keys or fresh_keys(), wanted=Wanted(events), sensor=sensor
        )
        self._source: CaptureSource | None = None
        self._stopped = False
        self._done_counters: dict[str, int] = {}
        self._damaged = False
        self._failed: list[str] = []
        self._lists = self._run()
        self._events = (event for events in self._lists for event in events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def __next__(self) -> Event:
        return next(self._events)

    def lists(self) -> Iterator[list[Event]]:
        """The same events in lists of one batch each: less to pay per event, for sinks."""
        return self._lists

    def stop(self) -> None:
        """Read no further input; what is open is flushed by the rest of the iteration. Callable from a signal."""
        self._stopped = True

    def close(self) -> None:
        """Close what was opened. Events not read by then are gone."""
        self._lists.close()

    @property
    def damaged(self) -> bool:
        """Whether some of the input could not be read."""
        return self._damaged

    @property
    def failed(self) -> list[str]:
        """What was wrong with each input that could not be read at all; the others were read."""
        return self._failed

    def progress(self) -> Progress | None:
        """How far the current capture has been read, None between captures."""
        return self._source.progress() if self._source is not None else None

    def statistics(self) -> dict[str, int]:
        """Counters of every layer so far, by dotted name; they only grow."""
        counters = dict(self._done_counters)
        if self._source is not None:
            _add(counters, self._source.statistics(), "capture.")
        _add(counters, self._driver.statistics(), "")
        return counters

    def _run(self) -> Generator[list[Event], None, None]:
        left = self._count
        for path in self._paths:
            if self._stopped or left == 0:
                break
            try:
                source = open_capture(path, filter=self._filter, verify_checksums=self._verify)
            except SourceError as error:
                yield self._fail(path, error)
                continue
            with source:
                self._source = source
                left = yield from self._read_one(source, path, left)
                _add(self._done_counters, source.statistics(), "capture.")
                self._source = None
        yield from self._driver.finish()

    def _fail(self, path: str, error: SourceError) -> list[Event]:
        """Note that an input cannot be read. Raises the error when there is nothing else to read."""
        self._failed.append(str(error))
        if len(self._failed) == len(self._paths):
            raise error
        detail = str(error).removeprefix(f"{path}: ")
        return self._driver.note([SensorFailed(ts_ns=self._driver.now_ns, source=path, detail=detail)])

    def _read_one(self, source: CaptureSource, path: str, left: int | None) -> Generator[list[Event], None, int | None]:
        """Read one capture; returns how many packets may still be read."""
        started = False
        while not self._stopped and left != 0:
            batch = source.next_batch()
            if batch is None:
                break
            packets = batch.packets
            count = batch.count if left is None else min(batch.count, left)
            if not started:
                started = True
                first_ns = int(packets[0]["ts_ns"])
                yield from self._join(first_ns)
                yield self._driver.note([SensorStarted(ts_ns=first_ns, source=path)])
            if left is not None:
                left -= count
            yield self._driver.process(batch.buffer, packets, count)
        yield self._driver.note(self._end_of_source(source, path))
        return left

    def _join(self, first_ns: int) -> Iterator[list[Event]]:
        """A capture that begins before the last one ended is another story: end the flows of the last one first."""
        if first_ns < self._driver.now_ns:
            yield from self._driver.finish_flows()

    def _end_of_source(self, source: CaptureSource, path: str) -> Iterator[Event]:
        counters = source.statistics()
        now_ns = self._driver.now_ns
        for damage in source.damage:
            self._damaged = True
            yield damage
        for name, kind in _UNREAD.items():
            number = counters.get(name, 0)
            if number:
                yield AnomalySeen(ts_ns=now_ns, kind=kind, severity=Severity.INFO, count=number, source=path)
        yield SensorEnded(ts_ns=now_ns, source=path, counters=counters)


def read(
    *paths: Paths,
    settings: PipelineSettings | None = None,
    events: Iterable[str] = FAMILIES,
    filter: str | None = None,  # noqa: A002
    count: int | None = None,
    sensor: str = "",
    keys: RunKeys | None = None,
    verify_checksums: bool = False,
) -> Reading:
    """Read captures and return their events in order.

    `paths` are capture files (pcap or pcapng, also compressed with gzip or zstd), folders, globs, or `-` for standard
    input. `events` names the families to hand out; all logins are judged whatever it says. `filter` is a BPF
    expression. `count` ends the input after that many packets. `keys` fixes the run's secrets, so that two runs give
    the same credential tags; by default each run has its own. `verify_checksums` leaves out packets whose checksums
    are wrong (captures taken on the sending host are full of them for a good reason: offload).

    Raises SourceError when no input can be read at all; one among others is a `sensor.failed`, listed in `failed`.
    Raises ValueError for a wrong family or filter. Damage inside
    an input raises nothing: it is an `anomaly.seen` with file and offset, and what can be read is read.
    """
    return Reading(
        paths,
        settings=settings,
        events=events,
        filter=filter,
        count=count,
        sensor=sensor,
        keys=keys,
        verify_checksums=verify_checksums,
    )


async def stream(*paths: Paths, **options: Any) -> AsyncIterator[Event]:
    """Like `read`, for `async for`: the same events in the same order.

    Each batch is worked on in a thread, and the next only when its events have been taken: a slow consumer slows the
    reading down, and nothing is queued.
    """
    with read(*paths, **options) as reading:
        lists = reading.lists()
        while (events := await asyncio.to_thread(next, lists, None)) is not None:
            for event in events:
                yield event


def _add(total: dict[str, int], more: dict[str, int], prefix: str) -> None:
    for name, value in more.items():
        total[prefix + name] = total.get(prefix + name, 0) + value
