"""`read_logs`: log files in, events out: lines, readers, detection put together for one run."""

import secrets
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from glob import glob, has_magic
from heapq import merge
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lapwing.app.decoys import Decoys, tripping
from lapwing.app.event_stream import EventStream
from lapwing.app.local_zone import LocalZone
from lapwing.app.notebook import reading_line, reading_page
from lapwing.app.paths import Paths
from lapwing.detect import FILE_KEY, Detector
from lapwing.events import (
    AnomalySeen,
    AuthResolved,
    Event,
    SensorEnded,
    SensorFailed,
    SensorStarted,
    SettingsError,
    Severity,
    SourceError,
)
from lapwing.io.capture import Progress, head_of
from lapwing.io.files import shown
from lapwing.io.logs import LogFile, open_log
from lapwing.io.surroundings import look_up
from lapwing.logins import SecretTagger
from lapwing.logins.logs import (
    LOG_FORMATS,
    Clock,
    LogContext,
    LogFormat,
    LogLines,
    LogSettings,
    Miss,
    format_named,
    parse_patterns,
    pattern_format,
)
from lapwing.sessions import FAMILIES, LoginDriver, PipelineSettings, Wanted
from lapwing.wire import is_capture_head

MAX_FILES = 512  # read side by side, merged by time
BATCH_LOGINS = 512  # handed out at once
MAX_PATTERN_BYTES = 1024 * 1024
CAPTURE_MAGIC_BYTES = 4
DAY_NS = 86_400 * 10**9
CAPTURE = "is a capture; `lapwing read` reads it"
NO_FORMAT = (
    "neither a capture (pcap and pcapng are known) nor a log of a known format;"
    " name the format with --format, or describe its lines with --patterns"
)
TOO_LONG = (
    "its lines are longer than logs.max_line_bytes, or one JSON array of more than 16 MiB;"
    " raise the setting, or write one object a line"
)

_TOLD = (Miss.FOREIGN, Miss.NO_ADDRESS, Miss.NO_TIME, Miss.AMBIGUOUS, Miss.TOO_LONG)


class LogChoice:
    """Which kinds of logs may be met: all built-in ones, those of pattern files before them, or one by name."""

    def __init__(self, name: str | None = None, patterns: Iterable[Path] = ()) -> None:
        """Raise SettingsError for an unknown name or a wrong pattern file."""
        self.own = tuple(_pattern_file(path) for path in patterns)
        formats = (*self.own, *LOG_FORMATS)
        self.named = format_named(name, formats) if name is not None else None
        if name is not None and self.named is None:
            known = ", ".join(one.name for one in formats)
            raise SettingsError(f"--format: no log format {name!r}; there are {known}")

    def lines(self, context: LogContext) -> LogLines:
        """What reads one log."""
        return LogLines(context, self.named, own=self.own)


def time_zone(settings: LogSettings) -> tzinfo:
    """The zone of timestamps that carry none. Raises SettingsError."""
    name = settings.time_zone
    if name == "UTC":
        return UTC
    if name == "local":
        return LocalZone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f"logs.time_zone: no zone {name!r}; write local, UTC or a name like Europe/Vienna"
        ) from None


def latest_ns(settings: LogSettings, written_ns: int) -> int:
    """A moment that no line of a log is younger than, by its settings or by when it was written."""
    if not settings.year:
        return written_ns
    end = datetime(settings.year, 12, 31, 23, 59, 59, tzinfo=time_zone(settings))
    return int(end.timestamp()) * 10**9 - DAY_NS  # the clock allows a day beyond


class LogReading(EventStream):
    """The events of one or more logs, merged by time; iterate it, once. Same shape as `Reading`."""

    def __init__(
        self,
        paths: Iterable[Paths],
        *,
        settings: PipelineSettings | None = None,
        events: Iterable[str] = FAMILIES,
        choice: LogChoice | None = None,
        sensor: str = "",
        tag_key: bytes | None = None,
        decoys: Decoys | None = None,
    ) -> None:
        """See `read_logs`."""
        if decoys is not None:
            tag_key = decoys.tag_key
        self._paths = list(dict.fromkeys(expand(paths)))
        self._settings = settings or PipelineSettings()
        self._choice = choice or LogChoice()
        self._tagger = SecretTagger(tag_key or secrets.token_bytes(32))
        wanted = Wanted(events)
        detector = Detector(self._settings.detect, look_up=look_up(self._settings.logins, self._tagger))
        decisions = detector.decisions(self._settings.detect.max_sources, FILE_KEY) if wanted.decision else None
        self._driver = LoginDriver(self._settings, wanted=wanted, detector=detector, sensor=sensor, decisions=decisions)
        self._zone = time_zone(self._settings.logs)
        self._misses: Counter[str] = Counter()
        self._open: LogFile | None = None
        self._started: list[SensorStarted] = []
        self._endings: list[Event] = []
        self._stopped = False
        super().__init__(tripping(self._run(), decoys, self._driver.note))

    def stop(self) -> None:
        """Read no further lines; open findings are still told. Callable from a signal."""
        self._stopped = True

    def progress(self) -> Progress | None:
        """How far the log opened last has been read."""
        return None if self._open is None else Progress(self._open.read_bytes, self._open.total_bytes)

    def __repr__(self) -> str:
        return reading_line("lapwing.LogReading", [str(path) for path in self._paths])

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return reading_page("lapwing.LogReading", [str(path) for path in self._paths], self.statistics(), self._failed)

    def statistics(self) -> dict[str, int]:
        """Counters so far, by dotted name."""
        return {f"logs.{name}": value for name, value in self._misses.items()} | self._driver.statistics()

    def _run(self) -> Generator[list[Event], None, None]:
        if len(self._paths) > MAX_FILES:
            raise SourceError(f"{len(self._paths)} logs at once; {MAX_FILES} can be merged by time")
        logs = [self._read_one(path) for path in self._paths]
        waiting: list[AuthResolved] = []
        try:
            for login in self._in_order(logs):
                if login is not None:
                    waiting.append(login)
                if len(waiting) >= BATCH_LOGINS or (login is None and waiting):
                    yield self._told(waiting)
                    waiting = []
            yield self._told(waiting)
            yield self._driver.finish()
        finally:
            for log in logs:
                log.close()

    def _in_order(self, logs: list[Generator[AuthResolved | None, None, None]]) -> Iterator[AuthResolved | None]:
        """The logins of all logs by time. Of one alone also None, where nothing more is written to it for now."""
        if len(logs) == 1:
            return logs[0]
        return (login for _, login in merge(*map(_by_time, logs), key=_time_of))

    def _told(self, logins: list[AuthResolved]) -> list[Event]:
        """Events of some logins, and of the logs opened and ended meanwhile."""
        started, self._started = self._started, []
        endings, self._endings = self._endings, []
        return [*self._driver.note(started), *self._driver.take(logins), *self._driver.note(endings)]

    def _read_one(self, path: str) -> Generator[AuthResolved | None, None, None]:
        """The logins of one log, None where it is silent for now, and its own story on the way."""
        limits = self._settings.logs
        try:
            log = open_log(path, limits.max_line_bytes)
        except SourceError as error:
            self._fail(path, str(error))
            return
        with log:
            self._open = log
            clock = Clock(self._zone, latest_ns(limits, log.written_ns))
            lines = self._choice.lines(
                LogContext(self._settings.logins, limits, clock, self._tagger, self._driver.next_auth_id)
            )
            started = False
            for login in self._logins(log, lines):
                if not started and login is not None:
                    started = True
                    self._started.append(SensorStarted(ts_ns=login.ts_ns, source=shown(path)))
                yield login
            self._end(path, log, lines)

    def _logins(self, log: LogFile, lines: LogLines) -> Iterator[AuthResolved | None]:
        while not self._stopped:
            batch = log.next_batch()
            if batch is None:
                break
            if batch.too_long_count:
                lines.skip_long(batch.too_long_count)
            yield from lines.feed(batch.lines)
            if log.is_silent():
                yield from lines.settle()
                yield None
        yield from lines.close()

    def _end(self, path: str, log: LogFile, lines: LogLines) -> None:
        now_ns = self._driver.now_ns
        misses = {miss.value.replace("-", "_"): count for miss, count in lines.misses.items() if count}
        counters = {"lines": lines.line_count, "logins": lines.login_count, **misses}
        self._misses.update(counters)
        if not lines.was_known and lines.line_count:
            self._fail(path, f"{path}: {no_log(path, lines)}")
            return
        self._endings += told_of(path, lines, now_ns)
        if log.damage is not None:
            self._damaged = True
            self._endings.append(_anomaly("logs.damaged", path, now_ns, 1, Severity.MEDIUM, log.damage))
        self._endings.append(SensorEnded(ts_ns=now_ns, source=shown(path), counters=counters))

    def _fail(self, path: str, message: str) -> None:
        """Note that an input cannot be read. Raises SourceError when there is nothing else to read."""
        self._failed.append(message)
        if len(self._failed) == len(self._paths):
            raise SourceError(message)
        detail = message.removeprefix(f"{path}: ")
        self._endings.append(SensorFailed(ts_ns=self._driver.now_ns, source=shown(path), detail=shown(detail)))


def read_logs(
    *paths: Paths,
    settings: PipelineSettings | None = None,
    events: Iterable[str] = FAMILIES,
    format: str | None = None,  # noqa: A002 - the word of the command line
    patterns: Iterable[Path] = (),
    sensor: str = "",
    tag_key: bytes | None = None,
    decoys: Decoys | None = None,
) -> LogReading:
    """Read logs and return their events in order.

    `paths` are log files (also compressed with gzip or zstd), globs, or `-` for standard input; several are merged by
    time. What a log is, its lines tell; `format` names one for all, `patterns` are files that describe others.
    `events` names the families to hand out. `tag_key` (32 bytes) fixes the key of secret tags.
    `decoys` are looked for in all logins, under their own key.

    Raises SourceError when no input can be read at all; one among others is a `sensor.failed`, listed in `failed`.
    Lines that give no login raise nothing: they are counted by why in `statistics()` and in `sensor.ended`, and those
    that should have given one are an `anomaly.seen`.
    """
    choice = LogChoice(format, patterns)
    return LogReading(
        paths, settings=settings, events=events, choice=choice, sensor=sensor, tag_key=tag_key, decoys=decoys
    )


def no_log(path: str, lines: LogLines) -> str:
    """What to say of a file whose lines are of no known format."""
    if path != "-" and is_capture(path):
        return CAPTURE
    return TOO_LONG if lines.misses[Miss.TOO_LONG] == lines.line_count else NO_FORMAT


def is_capture(path: str) -> bool:
    """Whether a file begins as captures do; one that cannot be looked at does not."""
    try:
        return Path(path).is_file() and is_capture_head(head_of(Path(path), CAPTURE_MAGIC_BYTES))
    except OSError:
        return False


def told_of(path: str, lines: LogLines, now_ns: int) -> list[Event]:
    """What there is to say of the lines that gave no login, and of what had to be supplied."""
    told: list[Event] = []
    for miss in _TOLD:
        count = lines.misses[miss]
        if count:
            severity = Severity.MEDIUM if miss is Miss.AMBIGUOUS else Severity.INFO
            told.append(_anomaly(f"logs.{miss.value.replace('-', '_')}", path, now_ns, count, severity))
    clock = lines.context.clock
    if clock.year_assumed and lines.login_count:
        told.append(_anomaly("logs.year_assumed", path, now_ns, 1, Severity.INFO, "timestamps carry no year"))
    if clock.zone_assumed and lines.login_count:
        detail = f"timestamps carry no zone, taken as {lines.context.logs.time_zone}"
        told.append(_anomaly("logs.zone_assumed", path, now_ns, 1, Severity.INFO, detail))
    return told


def expand(paths: Iterable[Paths]) -> Iterator[str]:
    """The files meant by `paths`; those of a glob sorted by name. Raises SourceError when a glob matches nothing."""
    for argument in map(str, paths):
        if has_magic(argument) and not _exists(argument):
            matches = sorted(glob(argument, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
            if not matches:
                raise SourceError(f"{argument}: no file matches")
            yield from matches
        else:
            yield argument


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # a folder on the way there may not be entered
        return False


def _pattern_file(path: Path) -> LogFormat:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MAX_PATTERN_BYTES:
        raise SettingsError(f"{path}: {len(data):,} bytes are no pattern file")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not valid UTF-8: {error}") from None
    return pattern_format(path.stem, f"patterns of {path.name}", parse_patterns(text, str(path)))


def _anomaly(
    kind: str, path: str, now_ns: int, count: int, severity: Severity = Severity.INFO, detail: str = ""
) -> AnomalySeen:
    return AnomalySeen(ts_ns=now_ns, kind=kind, severity=severity, count=count, source=shown(path), detail=detail)


def _by_time(logins: Iterable[AuthResolved | None]) -> Iterator[tuple[int, AuthResolved]]:
    """Each login with a time that never goes back, for a log's own order counts within it."""
    latest = 0
    for login in logins:
        if login is None:
            continue
        latest = max(latest, login.ts_ns)
        yield latest, login


def _time_of(pair: tuple[int, AuthResolved]) -> int:
    return pair[0]
