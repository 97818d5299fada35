"""One log from its first line: what kind it is, its logins, and what became of the other lines."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from lapwing.events import AuthResolved
from lapwing.logins.logs.context import LogContext
from lapwing.logins.logs.contract import LineReader, LogFormat, Miss, Reading
from lapwing.logins.logs.formats import LOG_FORMATS, SAMPLE_LINES, recognise
from lapwing.logins.logs.joined import Joiner, is_spread


class _OwnFirst:
    """An owner's patterns before what else a log is: a few lines among many are meant by them; see LineReader."""

    def __init__(self, own: Sequence[LineReader], rest: LineReader) -> None:
        self._own = own
        self._rest = rest

    def read(self, line: str) -> Reading:
        """See LineReader."""
        for reader in self._own:
            found = reader.read(line)
            if found is not Miss.FOREIGN and found is not Miss.OTHER:
                return found
        return self._rest.read(line)

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""
        return self._rest.close()


class LogLines:
    """Lines of one log in, logins out.

    `own` formats are an owner's: what they say of a line counts, whatever else the log is.

    Without a `log_format` the first `SAMPLE_LINES` lines are kept until they tell what the log is; call `settle` when
    no more come for now. Lines of a log that no format recognises are counted as foreign, and the next ones looked at;
    so are those of a log whose first lines told wrong, where as many as that in a row are foreign to what they told.
    """

    def __init__(
        self,
        context: LogContext,
        log_format: LogFormat | None = None,
        formats: Sequence[LogFormat] = LOG_FORMATS,
        own: Sequence[LogFormat] = (),
    ) -> None:
        self.context = context
        self.misses: Counter[Miss] = Counter()
        """Lines that gave no login, by why."""
        self.line_count = 0
        self.login_count = 0
        self._formats = formats
        self._own = tuple(own)
        self._waiting: list[str] = []
        self._reader: LineReader | None = None
        self._named = log_format is not None
        self._begun = False
        self._joiner: Joiner | None = None
        self._foreign = 0  # lines in a row that are not of the format
        self.was_known = log_format is not None
        """Whether some of it was of a known format, also where the lines since were of none."""
        self.note: Callable[[str, Reading], None] | None = None
        """Called with each line, or object that was spread over lines, and what it gave."""
        self.log_format: LogFormat | None = None
        """What the log is; None while that is not known."""
        if log_format is not None:
            self._begin(log_format)

    def feed(self, lines: Sequence[str]) -> list[AuthResolved]:
        """Take some lines; return the logins in them."""
        self.line_count += len(lines)
        if not self._begun:
            self._look(lines)
        if self._joiner is not None:
            lines = self._joiner.feed(lines)
        events: list[AuthResolved] = []
        for last in (False, True):  # looking is slow: of many lines of nothing only the first are looked at, twice
            if self._reader is None and lines:
                room = None if last else SAMPLE_LINES - len(self._waiting)
                self._waiting += lines[:room]
                lines = [] if room is None else lines[room:]
                if len(self._waiting) >= SAMPLE_LINES:
                    events += self.settle()
        return [*events, *self._read(lines)] if self._reader is not None else events

    def _look(self, lines: Sequence[str]) -> None:
        """See by the first line that is not empty whether objects are spread over lines.

        A log that is followed and begins with one open line is none: it is written line by line.
        """
        first = next((line for line in lines if line.strip()), None)
        if first is not None:
            self._begun = True
            whole = len(lines) > 1 or "}" in first
            self._joiner = Joiner() if whole and is_spread(first) else None

    def settle(self) -> list[AuthResolved]:
        """Decide what the log is by the lines there are; return the logins in them."""
        if self._reader is not None or not self._waiting:
            return []
        found = recognise(self._waiting, (*self._own, *self._formats))
        lines, self._waiting = self._waiting, []
        if found is None:
            self.misses[Miss.FOREIGN] += sum(1 for line in lines if line)
            if self.note is not None:
                for line in lines:
                    self.note(line, Miss.FOREIGN)
            return []
        beside = recognise(lines, self._formats) if found in self._own else None
        self._begin(found, beside)
        return self._read(lines)

    def skip_long(self, count: int) -> None:
        """Count lines that were too long to be handed over."""
        self.line_count += count
        self.misses[Miss.TOO_LONG] += count

    def close(self) -> list[AuthResolved]:
        """The log ended: what is left."""
        events = self.settle()
        return events if self._reader is None else [*events, *self._counted(self._reader.close())]

    def _begin(self, log_format: LogFormat, beside: LogFormat | None = None) -> None:
        """`beside` is what the lines are that an owner's patterns say nothing of."""
        self.log_format, self.was_known = log_format, True
        self._reader = log_format.make(self.context)
        rest = self._reader if log_format not in self._own else beside and beside.make(self.context)
        if self._own and not self._named and rest is not None:
            self._reader = _OwnFirst([one.make(self.context) for one in self._own], rest)

    def _read(self, lines: Sequence[str]) -> list[AuthResolved]:
        assert self._reader is not None
        read, note = self._reader.read, self.note
        events: list[AuthResolved] = []
        other = 0
        before = self.misses[Miss.FOREIGN]
        for line in lines:
            found = read(line)
            if note is not None:
                note(line, found)
            if found is Miss.OTHER:
                other += 1
            elif isinstance(found, AuthResolved):
                events.append(found)
            elif line:
                self.misses[found] += 1
        self.misses[Miss.OTHER] += other
        self.login_count += len(events)
        self._doubt(self.misses[Miss.FOREIGN] - before, len(events) + other)
        return events

    def _doubt(self, foreign: int, fitting: int) -> None:
        """Forget what the log was taken for when nothing in it fits any more."""
        self._foreign = 0 if fitting else self._foreign + foreign
        if self._foreign >= SAMPLE_LINES and not self._named:
            self._reader, self.log_format, self._foreign = None, None, 0

    def _counted(self, events: Iterable[AuthResolved]) -> list[AuthResolved]:
        found = list(events)
        self.login_count += len(found)
        if self.note is not None:
            for event in found:
                self.note("", event)
        return found
