"""One log from its first line: what kind it is, its logins, and what became of the other lines."""

from collections import Counter
from collections.abc import Iterable, Sequence

from lapwing.events import AuthResolved
from lapwing.logins.logs.context import LogContext
from lapwing.logins.logs.contract import LineReader, LogFormat, Miss
from lapwing.logins.logs.formats import LOG_FORMATS, SAMPLE_LINES, recognise
from lapwing.logins.logs.joined import Joiner, is_spread


class LogLines:
    """Lines of one log in, logins out.

    Without a `log_format` the first `SAMPLE_LINES` lines are kept until they tell what the log is; call `settle` when
    no more come for now. Lines of a log that no format recognises are counted as foreign, and the next ones looked at;
    so are those of a log whose first lines told wrong, where as many as that in a row are foreign to what they told.
    """

    def __init__(
        self,
        context: LogContext,
        log_format: LogFormat | None = None,
        formats: Sequence[LogFormat] = LOG_FORMATS,
    ) -> None:
        self.context = context
        self.misses: Counter[Miss] = Counter()
        """Lines that gave no login, by why."""
        self.line_count = 0
        self.login_count = 0
        self._formats = formats
        self._waiting: list[str] = []
        self._reader: LineReader | None = None
        self._named = log_format is not None
        self._begun = False
        self._joiner: Joiner | None = None
        self._foreign = 0  # lines in a row that are not of the format
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
        if self._reader is not None:
            return self._read(lines)
        self._waiting += lines
        return self.settle() if len(self._waiting) >= SAMPLE_LINES else []

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
        found = recognise(self._waiting, self._formats)
        lines, self._waiting = self._waiting, []
        if found is None:
            self.misses[Miss.FOREIGN] += sum(1 for line in lines if line)
            return []
        self._begin(found)
        return self._read(lines)

    def skip_long(self, count: int) -> None:
        """Count lines that were too long to be handed over."""
        self.line_count += count
        self.misses[Miss.TOO_LONG] += count

    def close(self) -> list[AuthResolved]:
        """The log ended: what is left."""
        events = self.settle()
        return events if self._reader is None else [*events, *self._counted(self._reader.close())]

    def _begin(self, log_format: LogFormat) -> None:
        self.log_format = log_format
        self._reader = log_format.make(self.context)

    def _read(self, lines: Sequence[str]) -> list[AuthResolved]:
        assert self._reader is not None
        read = self._reader.read
        events: list[AuthResolved] = []
        other = 0
        before = self.misses[Miss.FOREIGN]
        for line in lines:
            found = read(line)
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
        return found
