"""`read` and `stream`: captures or an interface in, events out: source, driver and detection put together for a run."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from lapwing.app.decoys import Decoys, tripping
from lapwing.app.event_stream import EventStream
from lapwing.app.interfaces import opened_interface
from lapwing.app.notebook import reading_line, reading_page
from lapwing.app.paths import Paths
from lapwing.detect import FILE_KEY, Detector
from lapwing.events import (
    AnomalySeen,
    Event,
    FindingRaised,
    SensorEnded,
    SensorFailed,
    SensorLagged,
    SensorStarted,
    Severity,
    SourceError,
)
from lapwing.flows import IdleRule
from lapwing.io.capture import (
    LANES,
    CaptureSource,
    Dedup,
    DedupSettings,
    FrameSource,
    InterfaceSource,
    LiveSettings,
    MergedSource,
    OpenFrames,
    PacketBatch,
    Progress,
    ReadAhead,
    Recorder,
    expand_paths,
    open_capture,
    worth_reading_ahead,
)
from lapwing.io.files import shown
from lapwing.io.surroundings import is_looked_up_otherwise, look_up
from lapwing.logins import SecretTagger
from lapwing.protocols import DatagramProtocol, StreamProtocol
from lapwing.sessions import FAMILIES, PipelineSettings, RunKeys, SessionDriver, Wanted

Source = CaptureSource | ReadAhead | InterfaceSource | FrameSource | MergedSource

_UNREAD = {
    "link_truncated": "wire.link_truncated",
    "ip_truncated": "wire.ip_truncated",
    "ip_malformed": "wire.ip_malformed",
    "transport_truncated": "wire.transport_truncated",
    "transport_malformed": "wire.transport_malformed",
    "unknown_link": "wire.unknown_link",
    "bad_checksum": "wire.bad_checksum",
    "fault": "wire.fault",
    "tunnels_too_deep": "wire.tunnel_too_deep",
}


def fresh_keys() -> RunKeys:
    """Make the secrets of one run."""
    return RunKeys(flow_key=secrets.token_bytes(16), tag_key=secrets.token_bytes(32))


class Reading(EventStream):
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
        interface: str | None = None,
        live: LiveSettings | None = None,
        record: Recorder | None = None,
        protocols: Iterable[StreamProtocol | DatagramProtocol] = (),
        sources: Mapping[str, OpenFrames] | None = None,
        decoys: Decoys | None = None,
        merge: bool = False,
        idle: IdleRule | None = None,
        dedup: DedupSettings | None = None,
        files: bool = False,
    ) -> None:
        """See `read`."""
        if decoys is not None:
            keys = RunKeys((keys or fresh_keys()).flow_key, decoys.tag_key)
        names = [str(path) for path in paths]
        settings = settings or PipelineSettings()
        self._depth = settings.flows.tunnel_depth
        self._dedup = Dedup(dedup) if dedup is not None else None
        self._live = opened_interface(
            interface, names, live, filter=filter, verify_checksums=verify_checksums, tunnel_depth=self._depth
        )
        self._sources = sources or {}
        self._paths = [interface] if interface is not None else self._expand(names)
        self._merged = list(self._paths) if merge else []
        if merge and len(self._paths) > 1:
            self._paths = [" + ".join(self._merged)]
        self._record = record
        # Whoever is on the wire could adapt to a key known beforehand; a file was finished before it was read.
        key = secrets.token_bytes(32) if self._live is not None else FILE_KEY
        keys = keys or fresh_keys()
        self._settings = settings
        self._tagger = tagger = SecretTagger(keys.tag_key)
        detector = Detector(settings.detect, key=key, look_up=look_up(settings.logins, tagger))
        self._filter = filter
        self._count = count
        self._verify = verify_checksums
        self._driver = SessionDriver(
            settings,
            keys,
            tagger=tagger,
            wanted=Wanted(events, files=files),
            detector=detector,
            sensor=sensor,
            protocols=protocols,
            idle=idle,
        )
        self._source: Source | None = None
        self._stopped = False
        self._to_end: list[int] = []
        self._done_counters: dict[str, int] = {}
        self._unreadable = 0
        self._quiet_ns = 0
        super().__init__(tripping(self._run(), decoys, self._driver.note))

    def stop(self) -> None:
        """Read no further input; what is open is flushed by the rest of the iteration. Callable from a signal."""
        self._stopped = True
        if isinstance(self._source, ReadAhead):
            self._source.stop()

    def change(self, settings: PipelineSettings) -> None:
        """Go on under other settings of logins and detection, with all that is known.

        Logins are found by the new ones in sessions that begin from now on; those of flows and sessions stay.
        Raises SettingsError, and ValueError for another `detect.max_sources`.
        """
        before, detector = self._settings, self._driver.detector
        if is_looked_up_otherwise(before.logins, settings.logins):
            detector.look_up_with(look_up(settings.logins, self._tagger))
        if settings.detect != before.detect:
            detector.change(settings.detect)
        self._driver.find_logins_by(settings.logins)
        self._settings = settings

    def end_flow(self, flow_id: int) -> None:
        """End an open flow, and its parser, before the next packets are looked at; the reason is `forced`."""
        self._to_end.append(flow_id)

    def close(self) -> None:
        """Close what was opened. Events not read by then are gone."""
        super().close()
        if self._live is not None:
            self._live.close()
        if self._record is not None:
            self._record.close()

    def __repr__(self) -> str:
        return reading_line("lapwing.Reading", self._merged or self._paths)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return reading_page("lapwing.Reading", self._paths, self.statistics(), self._failed, self.progress())

    def progress(self) -> Progress | None:
        """How far the current capture has been read, None between captures."""
        return self._source.progress() if self._source is not None else None

    def statistics(self) -> dict[str, int]:
        """Counters of every layer so far, by dotted name; they only grow."""
        counters = dict(self._done_counters)
        if self._source is not None:
            _add(counters, self._source.statistics(), "capture.")
        if self._record is not None:
            _add(counters, self._record.statistics(), "record.")
        _add(counters, self._driver.statistics(), "")
        return counters

    def _run(self) -> Generator[list[Event], None, None]:
        left = self._count
        for number, path in enumerate(self._paths, 1):
            if self._stopped or left == 0:
                break
            self._driver.come_from(number)
            try:
                source = self._open(path)
            except SourceError as error:
                yield self._fail(path, error)
                continue
            with source:
                self._source = source
                left = yield from self._read_one(source, path, left)
                _add(self._done_counters, source.statistics(), "capture.")
                self._source = None
        yield from self._driver.finish()

    def _expand(self, paths: list[str]) -> list[str]:
        """The captures meant; what a source of `sources` opens stays as it is."""
        found: list[str] = []
        for path in paths:
            found += [path] if _scheme(path) in self._sources else expand_paths([path])
        return list(dict.fromkeys(found))

    def _open(self, path: str) -> Source:
        if self._live is not None:
            return self._live
        if len(self._merged) > 1:
            return self._open_merged()
        open_frames = self._sources.get(_scheme(path))
        if open_frames is not None:
            try:
                frames = open_frames(path.partition("://")[2])
            except Exception as error:
                raise SourceError(f"{path}: {type(error).__name__}: {error}") from error
            source = FrameSource(path, frames, self._filter, self._verify)
            source.tunnel_depth = self._depth
            return source
        if worth_reading_ahead(path):
            return ReadAhead(self._open_capture(path, LANES))
        return self._open_capture(path)

    def _open_capture(self, path: str, lanes: int = 1) -> CaptureSource:
        return open_capture(
            path,
            filter=self._filter,
            verify_checksums=self._verify,
            lanes=lanes,
            tunnel_depth=self._depth,
            dedup=self._dedup,
        )

    def _open_merged(self) -> MergedSource:
        with ExitStack() as stack:
            opened = [stack.enter_context(self._open_capture(path)) for path in self._merged]
            stack.pop_all()  # all are open: from now on they are closed together
        return MergedSource(opened)

    def _fail(self, path: str, error: SourceError) -> list[Event]:
        """Note that an input cannot be read. Raises the error when there is nothing else to read."""
        self._unreadable += 1
        if self._unreadable == len(self._paths):
            self._failed.append(str(error))
            raise error
        return self._note_failure(path, str(error))

    def _note_failure(self, source: str, what: str) -> list[Event]:
        self._failed.append(what)
        detail = what.removeprefix(f"{source}: ")
        return self._driver.note([SensorFailed(ts_ns=self._now_ns(), source=shown(source), detail=shown(detail))])

    def _read_one(self, source: Source, path: str, left: int | None) -> Generator[list[Event], None, int | None]:
        """Read one capture; returns how many packets may still be read."""
        started = False
        while not self._stopped and left != 0:
            self.between()
            try:
                batch = source.next_batch()
            except SourceError as error:  # the interface has gone; what it gave is told
                yield self._note_failure(path, str(error))
                break
            if batch is None:
                break
            packets = batch.packets
            count = batch.count if left is None else min(batch.count, left)
            first_ns = int(packets[0]["ts_ns"]) if count else _quiet_until_ns(source)
            if not started and first_ns is not None:
                started = True
                yield from self._join(first_ns)
                yield self._driver.note([SensorStarted(ts_ns=first_ns, source=shown(path))])
            if left is not None:
                left -= count
            while self._to_end:
                yield self._driver.end_flow(self._to_end.pop(0))
            events = self._driver.process(batch.buffer, packets, count)
            if self._record is not None:
                self._record_batch(self._record, batch, count, events)
            if isinstance(source, InterfaceSource):
                self._let_time_pass(source, events)
            yield events
        yield self._driver.note(self._end_of_source(source, path))
        return left

    def _let_time_pass(self, source: InterfaceSource, events: list[Event]) -> None:
        """Expire by the clock when no packet comes, and say what the kernel had no room for."""
        if source.idle_until_ns is not None:
            self._quiet_ns = source.idle_until_ns
            events += self._driver.advance(source.idle_until_ns)
        drops = source.take_drops()
        if drops:
            lagged = SensorLagged(ts_ns=self._driver.now_ns, where="kernel", lost_count=drops)
            events += self._driver.note([lagged])

    def _record_batch(self, record: Recorder, batch: PacketBatch, count: int, events: list[Event]) -> None:
        already = record.failure
        record.write(batch.buffer, batch.packets, count)
        for event in events:
            if isinstance(event, FindingRaised):
                record.trigger(event.ts_ns)
        if record.failure is not None and already is None:
            events += self._note_failure("recording", record.failure)

    def _now_ns(self) -> int:
        """The time of the latest packet, or until when an interface is known to have been quiet since."""
        return max(self._driver.now_ns, self._quiet_ns)

    def _join(self, first_ns: int) -> Iterator[list[Event]]:
        """A capture that begins before the last one ended is another story: end the flows of the last one first."""
        if first_ns < self._driver.now_ns:
            yield from self._driver.finish_flows()

    def _end_of_source(self, source: Source, path: str) -> Iterator[Event]:
        counters = source.statistics()
        now_ns, path = self._now_ns(), shown(path)
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
    interface: str | None = None,
    live: LiveSettings | None = None,
    record: Recorder | None = None,
    protocols: Iterable[StreamProtocol | DatagramProtocol] = (),
    sources: Mapping[str, OpenFrames] | None = None,
    decoys: Decoys | None = None,
    merge: bool = False,
    idle: IdleRule | None = None,
    dedup: DedupSettings | None = None,
    files: bool = False,
) -> Reading:
    """Read captures, or watch an interface, and return the events in order.

    `paths` are capture files (pcap or pcapng, also compressed with gzip or zstd), folders, globs, or `-` for standard
    input. `events` names the families to hand out; all logins are judged whatever it says. `filter` is a BPF
    expression. `count` ends the input after that many packets. `keys` fixes the run's secrets, so that two runs give
    the same credential tags; by default each run has its own. `verify_checksums` leaves out packets whose checksums
    are wrong (captures taken on the sending host are full of them for a good reason: offload).

    `interface` names a network interface to watch instead of captures, `any` for all; it is opened at once, and `live`
    says how. The reading then goes on until `stop()`; flows expire by the clock while no packet comes, and an empty
    list among `lists()` only means that time has passed. `record` writes the packets to files on the way.

    `protocols` are looked for beside our own: see `lapwing.protocols` for what one is. `sources` open what is named
    `NAME://...` among the paths.
    `decoys` are looked for in the logins that are handed out, and the run then tags secrets under their key.
    `merge` reads captures of the same time together, in the order of packet times, as
    if they were one; by default each is read after the other.
    `idle` is asked about each flow as it opens: after how many seconds of silence it ends, and its parser with it;
    None for what the settings say. `dedup` leaves out packets that captures hold twice; for an interface `live` has it.
    With `files`, messages of HTTP and SMTP tell of the files they carry: size, kind, name, digests; never the content.

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
        interface=interface,
        live=live,
        record=record,
        protocols=protocols,
        sources=sources,
        decoys=decoys,
        merge=merge,
        idle=idle,
        dedup=dedup,
        files=files,
    )


async def stream(*paths: Paths, **options: Any) -> AsyncIterator[Event]:
    """Like `read`, for `async for`: the same events in the same order.

    Each batch is worked on in a thread, and the next only when its events have been taken: a slow consumer slows the
    reading down, and nothing is queued.
    """
    with read(*paths, **options) as reading:
        lists = reading.lists()
        while (events := await _in_thread(reading, lists)) is not None:
            for event in events:
                yield event


async def _in_thread(reading: Reading, lists: Iterator[list[Event]]) -> list[Event] | None:
    """The next list. When this is cancelled, the thread is waited for: the reading is then free to be closed."""
    working = asyncio.ensure_future(asyncio.to_thread(next, lists, None))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        reading.stop()
        await asyncio.wait([working])
        raise


def _quiet_until_ns(source: Source) -> int | None:
    """Until when an interface is known to be quiet: watching has begun though nothing came. None for all else."""
    return source.idle_until_ns if isinstance(source, InterfaceSource) else None


def _scheme(path: str) -> str:
    """`name` of `name://...`, empty when there is none."""
    name, found, _ = path.partition("://")
    return name if found else ""


def _add(total: dict[str, int], more: dict[str, int], prefix: str) -> None:
    for name, value in more.items():
        total[prefix + name] = total.get(prefix + name, 0) + value
