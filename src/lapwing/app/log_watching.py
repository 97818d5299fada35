"""`watch` on logs: files followed as they grow, events out as lines come."""

import secrets
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple, Protocol, TypeVar

from lapwing.app.decoys import Decoys, tripping
from lapwing.app.event_stream import EventStream
from lapwing.app.log_reading import CAPTURE, LogChoice, expand, is_capture, latest_ns, time_zone, told_of
from lapwing.app.paths import Paths
from lapwing.detect import Detector, DetectSettings, LookUp
from lapwing.events import (
    AnomalySeen,
    AuthEvent,
    AuthResolved,
    Event,
    SensorEnded,
    SensorFailed,
    SensorStarted,
    Severity,
    SourceError,
    StoreError,
)
from lapwing.io.capture import Progress
from lapwing.io.files import shown
from lapwing.io.logs import FollowedLog, PositionFile
from lapwing.io.surroundings import is_looked_up_otherwise, look_up
from lapwing.logins import SecretTagger
from lapwing.logins.logs import Clock, LogContext, LogLines
from lapwing.sessions import FAMILIES, LoginDriver, PipelineSettings, Wanted

POLL_S = 0.1  # between looks at files that are silent: what is decided by a line is decided within this
SAVE_S = 1.0  # between writes of the position file: a crash makes at most this much be read twice
MAX_LOGS = 256  # followed at once

Done = TypeVar("Done")


class TakesLogins(Protocol):
    """What turns logins into the stream of events: a LoginDriver, or what holds one."""

    def take(self, logins: Iterable[AuthEvent]) -> list[Event]:
        """See LoginDriver."""

    def note(self, events: Iterable[Event]) -> list[Event]:
        """See LoginDriver."""

    def finish(self) -> list[Event]:
        """See LoginDriver."""

    def statistics(self) -> dict[str, int]:
        """See LoginDriver."""

    def next_auth_id(self) -> int:
        """See LoginDriver."""

    def change(self, settings: DetectSettings) -> None:
        """See LoginDriver."""

    def look_up_with(self, look_up: LookUp | None) -> None:
        """See LoginDriver."""


class _Watched(NamedTuple):
    """One followed log."""

    file: FollowedLog
    lines: LogLines


class LogWatching(EventStream):
    """The events of logs as they are written; iterate it, once. It ends by `stop()`. Same shape as `Reading`."""

    def __init__(
        self,
        paths: Iterable[Paths],
        *,
        settings: PipelineSettings | None = None,
        events: Iterable[str] = FAMILIES,
        choice: LogChoice | None = None,
        positions: Path | None = None,
        from_start: bool = False,
        sensor: str = "",
        driver: TakesLogins | None = None,
        tagger: SecretTagger | None = None,
        decoys: Decoys | None = None,
    ) -> None:
        """See `watch_logs`; `driver` takes the logins where others share it, and `tagger` is then the one it knows.

        Raises SourceError, StoreError, SettingsError.
        """
        self._settings = settings or PipelineSettings()
        self._tagger = tagger or SecretTagger(secrets.token_bytes(32) if decoys is None else decoys.tag_key)
        self._driver: TakesLogins = driver or self._own_driver(Wanted(events), sensor)
        self._choice = choice or LogChoice()
        self._zone = time_zone(self._settings.logs)
        self._positions = PositionFile(positions) if positions is not None else None
        self._saved = time.monotonic()
        self._stopped = False
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._failing: dict[str, str] = {}  # what cannot be done for now, and why
        self._failures: list[SensorFailed] = []  # not told yet
        names = list(dict.fromkeys(expand(paths)))
        if len(names) > MAX_LOGS:
            raise SourceError(f"{len(names)} logs at once; {MAX_LOGS} can be followed")
        self._logs = [self._follow(name, from_start) for name in names]
        super().__init__(tripping(self._run(), decoys, self._driver.note))

    def _own_driver(self, wanted: Wanted, sensor: str) -> LoginDriver:
        """With a key of its own, for whoever writes the logs can adapt."""
        key = secrets.token_bytes(32)
        settings = self._settings
        detector = Detector(settings.detect, key=key, look_up=look_up(settings.logins, self._tagger))
        decisions = detector.decisions(settings.detect.max_sources, key) if wanted.decision else None
        return LoginDriver(settings, wanted=wanted, detector=detector, sensor=sensor, decisions=decisions)

    def stop(self) -> None:
        """Read what is there, tell what is open, and end. Callable from a signal.

        A handler runs in the middle of whatever it interrupts: an Event, which locks itself to be waited for and to be
        set, would wait for itself there. A SimpleQueue may be put into at any moment.
        """
        self._stopped = True
        self._wake.put(None)

    def change(self, settings: PipelineSettings) -> None:
        """Go on under other settings, with all that is known of logins and logs; what is read from now on is read so.

        Raises SettingsError, and ValueError for another `detect.max_sources`; then nothing changed but for the latter.
        """
        zone, before = time_zone(settings.logs), self._settings
        if is_looked_up_otherwise(before.logins, settings.logins):
            self._driver.look_up_with(look_up(settings.logins, self._tagger))
        if settings.detect != before.detect:
            self._driver.change(settings.detect)
        self._settings, self._zone = settings, zone
        for log in self._logs:
            log.file.limit(settings.logs.max_line_bytes)
            log.lines.context.change(settings.logins, settings.logs, zone)

    def close(self) -> None:
        """Close the files."""
        super().close()
        for log in self._logs:
            log.file.close()

    @property
    def damaged(self) -> bool:
        """Whether some of the input was lost: a log that was cut while it was read."""
        return any(log.file.truncations for log in self._logs)

    @property
    def absent(self) -> list[str]:
        """Logs that are not there yet; they are read from their beginning when they come."""
        return [log.file.path for log in self._logs if not Path(log.file.path).exists()]

    def progress(self) -> Progress | None:
        """None: a log that grows has no end to be on the way to."""
        return None

    def statistics(self) -> dict[str, int]:
        """Counters so far, and gauges `behind_bytes`, by dotted name."""
        counters = {
            "logs.lines": 0,
            "logs.logins": 0,
            "logs.rotations": 0,
            "logs.truncations": 0,
            "logs.behind_bytes": 0,
        }
        for log in self._logs:
            counters["logs.lines"] += log.lines.line_count
            counters["logs.logins"] += log.lines.login_count
            counters["logs.rotations"] += log.file.rotations
            counters["logs.truncations"] += log.file.truncations
            counters["logs.behind_bytes"] += log.file.behind_bytes
            for miss, count in log.lines.misses.items():
                name = f"logs.{miss.value.replace('-', '_')}"
                counters[name] = counters.get(name, 0) + count
        return counters | self._driver.statistics()

    def tried(self, source: str, step: Callable[[], Done | None]) -> Done | None:
        """Do what may fail for a while and be right again, as a write to a disk that is full.

        A failure is told as `sensor.failed`, once for as long as it stays the same, and ends nothing: the step is tried
        again with the next look. A step that gives None had nothing to do, which says nothing of the failure.
        """
        try:
            done = step()
        except (SourceError, StoreError) as error:
            reason = str(error)
            if self._failing.get(source) != reason:
                self._failing[source] = reason
                detail = reason.removeprefix(f"{source}: ")
                self._failures.append(SensorFailed(ts_ns=time.time_ns(), source=shown(source), detail=shown(detail)))
            return None
        if done is not None:
            self._failing.pop(source, None)
        return done

    def turn(self) -> list[Event]:
        """Called after each look at the logs, for what must be done and told while they are silent, too."""
        return []

    def _follow(self, name: str, from_start: bool) -> _Watched:
        if is_capture(name):
            raise SourceError(f"{name}: {CAPTURE}")
        limits = self._settings.logs
        position = self._positions.get(name) if self._positions is not None else None
        file = FollowedLog(name, limits.max_line_bytes, position=position, from_start=from_start)
        clock = Clock(self._zone, latest_ns(limits, time.time_ns()))
        context = LogContext(self._settings.logins, limits, clock, self._tagger, self._driver.next_auth_id)
        return _Watched(file, self._choice.lines(context))

    def _run(self) -> Generator[list[Event], None, None]:
        now_ns = time.time_ns()
        yield self._driver.note(SensorStarted(ts_ns=now_ns, source=shown(log.file.path)) for log in self._logs)
        yield self._driver.note(_lost_place(log.file, now_ns) for log in self._logs if log.file.is_place_lost)
        while True:
            stopping = self._stopped  # asked first: lines written before the stop are still read
            moved = False
            for log in self._logs:
                logins = self.tried(log.file.path, partial(self._poll, log))
                if logins is not None:
                    moved = True
                    yield self._driver.take(logins)
            self._save()
            self.between()
            told = [*self.turn(), *self._failed_now()]
            if told:
                yield told
            if not moved:
                if stopping:
                    break
                with suppress(Empty):
                    self._wake.get(timeout=POLL_S)
        yield self._finish()

    def _poll(self, log: _Watched) -> list[AuthResolved] | None:
        """The logins in the next lines of a log; None when there are none to read."""
        batch = log.file.poll()
        if batch is None:
            return log.lines.settle() or None
        log.lines.context.clock.latest_ns = latest_ns(self._settings.logs, time.time_ns())
        if batch.too_long_count:
            log.lines.skip_long(batch.too_long_count)
        return log.lines.feed(batch.lines)

    def _failed_now(self) -> list[Event]:
        failures, self._failures = self._failures, []
        return self._driver.note(failures)

    def _save(self, *, now: bool = False) -> None:
        """Note where reading stands: behind lines whose events were taken."""
        positions = self._positions
        if positions is None or not (now or time.monotonic() - self._saved >= SAVE_S):
            return
        self._saved = time.monotonic()
        for log in self._logs:
            positions.put(log.file.path, log.file.position)
        self.tried(str(positions.path), positions.save)

    def _finish(self) -> list[Event]:
        now_ns = time.time_ns()
        told: list[Event] = []
        ended: list[Event] = []
        for log in self._logs:
            told += self._driver.take(log.lines.close())
            path = shown(log.file.path)
            ended += told_of(path, log.lines, now_ns)
            if log.file.truncations:
                count = log.file.truncations
                ended.append(
                    AnomalySeen(ts_ns=now_ns, kind="logs.truncated", severity=Severity.LOW, count=count, source=path)
                )
            counters = {"lines": log.lines.line_count, "logins": log.lines.login_count}
            ended.append(SensorEnded(ts_ns=now_ns, source=path, counters=counters))
        self._save(now=True)
        return [*told, *self._driver.finish(), *self._failed_now(), *self._driver.note(ended)]


def _lost_place(file: FollowedLog, now_ns: int) -> AnomalySeen:
    detail = "the file read before is gone or packed: what was written to it since is not read"
    return AnomalySeen(
        ts_ns=now_ns, kind="logs.place_lost", severity=Severity.LOW, source=shown(file.path), detail=detail
    )


def watch_logs(
    *paths: Paths,
    settings: PipelineSettings | None = None,
    events: Iterable[str] = FAMILIES,
    format: str | None = None,  # noqa: A002 - the word of the command line
    patterns: Iterable[Path] = (),
    positions: Path | None = None,
    from_start: bool = False,
    sensor: str = "",
    decoys: Decoys | None = None,
) -> LogWatching:
    """Follow logs through rotation and return their events as they come; arguments as for `read_logs`.

    `positions` is a file that remembers how far each log was read, so that the next run goes on there; without an
    entry in it a log is read from its end, or with `from_start` from its beginning.
    `decoys` are looked for in all logins, under their own key.

    Raises SourceError for a log that is a directory, a capture or may not be read, StoreError for `positions` that
    cannot be understood, SettingsError for a format or patterns that are none. What fails later is a `sensor.failed`.
    """
    return LogWatching(
        paths,
        settings=settings,
        events=events,
        choice=LogChoice(format, patterns),
        positions=positions,
        from_start=from_start,
        sensor=sensor,
        decoys=decoys,
    )
