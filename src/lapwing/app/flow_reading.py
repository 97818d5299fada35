"""`flows`: captures in, flow records out. Nothing above the transport is looked at, so this is the fast way."""

import secrets
from collections.abc import Generator, Iterable, Iterator
from importlib import import_module
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from lapwing.app.interfaces import opened_interface
from lapwing.app.notebook import reading_line, reading_page
from lapwing.app.paths import Paths
from lapwing.events import AnomalySeen, FlowClosed, SettingsError, SourceError
from lapwing.flows import (
    RECORD_DTYPE,
    FlowSettings,
    FlowTable,
    Fragments,
    IdleRule,
    closed_events,
    extractor_for,
    full_dtype,
    records_of,
)
from lapwing.io.capture import (
    LANES,
    CaptureSource,
    Dedup,
    DedupSettings,
    InterfaceSource,
    LiveSettings,
    PacketBatch,
    Progress,
    ReadAhead,
    expand_paths,
    may_wait,
    open_capture,
    processors,
)

if TYPE_CHECKING:  # sessions and all protocols with them: half of what a worker of ours would take to start
    from lapwing.sessions import RunKeys

Records = NDArray[np.void]
Span = tuple[Any, Records, int, int]

BATCH_ROWS = 65_536  # of a record batch; about 25 MB
FLOW_KEY_BYTES = 16
LIST_EVENTS = 1024  # made at once: what a list holds is small beside what a flow table holds


class FlowReading:
    """The flow records of one or more captures: as events by iterating, or as columns by `records()` and the like.

    Read it once and in one of these ways; asked for another, it raises RuntimeError instead of giving what is left.
    """

    def __init__(
        self,
        paths: Iterable[Paths],
        *,
        settings: FlowSettings | None = None,
        filter: str | None = None,  # noqa: A002 - the word every capture tool uses
        count: int | None = None,
        keys: "RunKeys | None" = None,
        verify_checksums: bool = False,
        interface: str | None = None,
        live: LiveSettings | None = None,
        idle: IdleRule | None = None,
        dedup: DedupSettings | None = None,
        ahead: bool = True,
    ) -> None:
        """See `flows`. With `ahead` a second thread reads, where there is a processor for it."""
        settings = settings or FlowSettings()
        names = [str(path) for path in paths]
        self._depth = settings.tunnel_depth
        self._dtype = full_dtype(settings.early_packets) if settings.features else RECORD_DTYPE
        self._live = opened_interface(
            interface, names, live, filter=filter, verify_checksums=verify_checksums, tunnel_depth=self._depth
        )
        self._paths = expand_paths(names)
        flow_key = keys.flow_key if keys is not None else secrets.token_bytes(FLOW_KEY_BYTES)
        self._table = FlowTable(settings, flow_key, payloads=False, idle=idle)
        self._extractor = extractor_for(settings.key, settings.key_also)
        self._words = self._extractor.words if self._extractor is not None else None
        self._dedup = Dedup(dedup) if dedup is not None else None
        self._fragments = Fragments(self._depth, settings.key_also)
        self._filter = filter
        self._left = count
        self._ahead = ahead and processors() > 1
        self._verify = verify_checksums
        self._stopped = False
        self._to_end: list[int] = []
        self._progress: Progress | None = None
        self._counters: dict[str, int] = {}
        self._damage: list[AnomalySeen] = []
        self._failed: list[str] = []
        self._latest_ns = 0
        self._batches = self._run()
        self._taken_as = ""
        self._lists: Iterator[list[FlowClosed]] | None = None
        self._events: Iterator[FlowClosed] | None = None
        self._waiting: ReadAhead | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[FlowClosed]:
        if self._events is None:
            self._take_as("events")
            self._events = (event for events in self._in_lists(LIST_EVENTS) for event in events)
        return self._events

    def lists(self, size: int = LIST_EVENTS) -> Iterator[list[FlowClosed]]:
        """The same events in lists of at most `size`. One without any only means that time has passed."""
        if self._lists is None:
            self._take_as("lists")
            self._lists = self._in_lists(size)
        return self._lists

    def _in_lists(self, size: int) -> Iterator[list[FlowClosed]]:
        numbers = count(1)
        for records in self._batches:
            for at in range(0, max(len(records), 1), size):
                events = closed_events(records[at : at + size], words=self._words, chains=self._table.carriers.chain)
                for event in events:
                    msgspec.structs.force_setattr(event, "seq", next(numbers))
                yield events

    def records(self) -> Iterator[Records]:
        """The records as structured arrays (`lapwing.flows.RECORD_DTYPE`), in the order the flows ended.

        With `FlowSettings.features` they have those columns too (`lapwing.flows.full_dtype`).

        An array is valid until the next one is asked for: copy what is kept.
        """
        if self._taken_as != "records":
            self._take_as("records")
        return self._batches

    def to_batches(self, rows: int = BATCH_ROWS) -> Any:
        """The records as a `pyarrow.RecordBatchReader`, `rows` at a time: memory stays bounded whatever the input.

        Polars, pandas, DuckDB and others read it without a copy. Raises SettingsError without the extra `columns`.
        """
        arrow = _arrow()
        self._refuse_a_second()
        return arrow.reader_of(self._as_columns(), rows, self._words, self._dtype, self._table.carriers.words)

    def _as_columns(self) -> Iterator[Records]:
        """The records, taken with the first of them: some libraries ask for a stream only to see its schema."""
        self._take_as("columns")
        yield from self._batches

    def _take_as(self, what: str) -> None:
        self._refuse_a_second()
        self._taken_as = what

    def _refuse_a_second(self) -> None:
        """What was read is gone, so a second taker would find some of it missing, or nothing."""
        if self._taken_as:
            raise RuntimeError(f"these flows were taken as {self._taken_as}; they are read once: call `flows` again")

    def to_arrow(self) -> Any:
        """All records as one `pyarrow.Table`; columns have the names of `flow.closed`."""
        return self.to_batches().read_all()

    def to_polars(self) -> Any:
        """All records as a `polars.DataFrame`."""
        polars = _library("polars")
        return polars.from_arrow(self.to_arrow())

    def to_pandas(self) -> Any:
        """All records as a `pandas.DataFrame`; words such as the transport are categories."""
        _library("pandas")
        return self.to_arrow().to_pandas()

    def to_parquet(self, sink: Paths | BinaryIO) -> int:
        """Write all records to a Parquet file, with bounded memory; returns how many.

        The file appears when it is whole; until then it is `NAME.part`, which a failure takes away.
        """
        return int(_arrow().write_parquet(self.to_batches(), sink))

    def to_csv(self, sink: Paths | BinaryIO) -> int:
        """Write all records as CSV, with bounded memory; returns how many. The file appears as Parquet does."""
        return int(_arrow().write_csv(self.to_batches(), sink))

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The Arrow C data interface: `polars.DataFrame(flows(path))` and the like just work."""
        stream: object = self.to_batches().__arrow_c_stream__(requested_schema)
        return stream

    def snapshot(self) -> Records:
        """Records of the flows that are open now, as they stand, with their features; none of them ends by it.

        Ask between two records or batches of this reading, in the thread that reads. At most `max_flows` rows.
        """
        found: list[Records] = []
        slot = 0
        while slot >= 0:
            rows, slot = self._table.snapshot(slot)
            found.append(rows)
        return np.concatenate(found)

    def tunnels(self) -> dict[str, int]:
        """How many flows each tunnel carried so far, by words such as `vxlan 192.0.2.1 > 192.0.2.2 #42`."""
        return self._table.carriers.flow_counts()

    def end_flow(self, flow_id: int) -> None:
        """End an open flow before the next packets are looked at; its record has the reason `forced`."""
        self._to_end.append(flow_id)

    def begin_at(self, ts_ns: int) -> None:
        """On an interface: pass over packets before this time. Call it before reading."""
        if self._live is not None:
            self._live.begin_at(ts_ns)

    def stop(self) -> None:
        """Read no further input; flows still open follow as flushed. Callable from a signal."""
        self._stopped = True
        if self._waiting is not None:
            self._waiting.stop()

    def close(self) -> None:
        """Close what was opened. Records not read by then are gone."""
        self._batches.close()
        if self._live is not None:
            self._live.close()

    @property
    def damage(self) -> list[AnomalySeen]:
        """What could not be read so far."""
        return self._damage

    @property
    def failed(self) -> list[str]:
        """What was wrong with each input that could not be read at all; the others were read."""
        return self._failed

    def __repr__(self) -> str:
        return reading_line("lapwing.FlowReading", self._paths)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return reading_page("lapwing.FlowReading", self._paths, self.statistics(), self._failed, self._progress)

    def progress(self) -> Progress | None:
        """How far the current capture has been read, None between captures."""
        return self._progress

    def statistics(self) -> dict[str, int]:
        """Counters of capture and flow table by dotted name; they only grow."""
        live = self._live.statistics() if self._live is not None else {}
        counters = self._counters | {f"capture.{name}": value for name, value in live.items()}
        counters["flows.steps"] = self._table.step_count
        counters |= {f"fragments.{name}": value for name, value in self._fragments.statistics().items()}
        return counters | {
            f"flows.{name.removeprefix('flows_')}": value for name, value in self._table.statistics().items()
        }

    def _run(self) -> Generator[Records]:
        if self._live is not None:
            yield from self._watch(self._live)
        for number, path in enumerate(self._paths, 1):
            if self._extractor is not None:
                self._extractor.source = number
            if self._stopped or self._left == 0:
                break
            try:
                source = self._open(path)
            except SourceError as error:
                self._failed.append(str(error))
                if len(self._failed) == len(self._paths):
                    raise
                continue
            with ReadAhead(source) if self._ahead or may_wait(path) else source as batches:
                self._waiting = batches if isinstance(batches, ReadAhead) else None
                yield from self._read_one(batches)
                self._waiting = None
                self._damage.extend(source.damage)
                for name, value in source.statistics().items():
                    key = f"capture.{name}"
                    self._counters[key] = self._counters.get(key, 0) + value
            self._progress = None
        yield from self._flush()

    def _open(self, path: str) -> CaptureSource:
        return open_capture(
            path,
            filter=self._filter,
            verify_checksums=self._verify,
            lanes=LANES if self._ahead or may_wait(path) else 1,
            tunnel_depth=self._depth,
            dedup=self._dedup,
        )

    def _watch(self, source: InterfaceSource) -> Iterator[Records]:
        """An interface, until `stop`. Flows expire by the clock while no packet comes."""
        while not self._stopped and self._left != 0:
            try:
                batch = source.next_batch()
            except SourceError as error:  # the interface has gone; what it gave is told
                self._failed.append(str(error))
                return
            if batch is None:
                return
            yield from self._take(batch)
            idle_until_ns = source.idle_until_ns
            while idle_until_ns is not None:
                more = self._table.advance(idle_until_ns)
                yield records_of(self._table)  # perhaps empty: time has passed
                idle_until_ns = idle_until_ns if more else None
            self._progress = source.progress()

    def _take(self, batch: PacketBatch) -> Iterator[Records]:
        while self._to_end:
            if self._table.end_flow(self._to_end.pop(0)):
                yield records_of(self._table)
        number = batch.count
        if self._left is not None:
            number = min(number, self._left)
            self._left -= number
        for source, rows, index, end in self._spans(batch, number):
            if self._extractor is not None:
                self._extractor.apply(source, rows, index, end)
            while index < end:
                index = self._table.process(source, rows, index, end)
                if len(self._table.records):
                    yield records_of(self._table)

    def _spans(self, batch: PacketBatch, number: int) -> Iterable[Span]:
        """The packets, with datagrams put together where the key has ports."""
        whole = self._extractor is None or self._extractor.whole_datagrams
        if whole and self._table.survey(batch.packets, number)[1]:
            return self._fragments.spans(batch.buffer, batch.packets, number)
        return ((batch.buffer, batch.packets, 0, number),)

    def _read_one(self, batches: CaptureSource | ReadAhead) -> Iterator[Records]:
        started = False
        while not self._stopped and self._left != 0:
            batch = batches.next_batch()
            if batch is None:
                break
            if not started:
                started = True
                yield from self._join(int(batch.packets["ts_ns"][0]))
            self._latest_ns = int(batch.packets["ts_ns"][batch.count - 1])
            yield from self._take(batch)
            self._progress = batches.progress()

    def _join(self, first_ns: int) -> Iterator[Records]:
        """A capture that begins before the last one ended is another story: end the flows of the last one first."""
        if first_ns < self._latest_ns:
            yield from self._flush()
            self._latest_ns = 0

    def _flush(self) -> Iterator[Records]:
        more = True
        while more:
            more = self._table.finish()
            if len(self._table.records):
                yield records_of(self._table)


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise SettingsError(f"{name} is not installed; `pip install 'lapwing[columns]' {name}`") from error


def _arrow() -> Any:
    _library("pyarrow")
    return import_module("lapwing.app.columns")


def flows(
    *paths: Paths,
    settings: FlowSettings | None = None,
    filter: str | None = None,  # noqa: A002
    count: int | None = None,
    keys: "RunKeys | None" = None,
    verify_checksums: bool = False,
    interface: str | None = None,
    live: LiveSettings | None = None,
    idle: IdleRule | None = None,
    dedup: DedupSettings | None = None,
) -> FlowReading:
    """Read captures, or watch an interface, and return the flow records; arguments as for `read`.

    Raises SourceError when no input can be read at all; one among others is passed over and listed in `failed`.
    """
    return FlowReading(
        paths,
        settings=settings,
        filter=filter,
        count=count,
        keys=keys,
        verify_checksums=verify_checksums,
        interface=interface,
        live=live,
        idle=idle,
        dedup=dedup,
    )
