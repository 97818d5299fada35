"""The systemd journal as `journalctl -o json` writes it."""

from collections.abc import Iterable, Mapping

from lapwing.events import AuthResolved
from lapwing.logins.logs.context import LogContext
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.documents import decoded, text
from lapwing.logins.logs.syslog import Dispatch


class JournalLines:
    """Reads one journal entry a line; see LineReader."""

    __slots__ = ("_clock", "_dispatch")

    def __init__(self, context: LogContext) -> None:
        self._clock = context.clock
        self._dispatch = Dispatch(context)

    def read(self, line: str) -> Reading:
        """See LineReader."""
        entry = decoded(line)
        if entry is None or "MESSAGE" not in entry:
            return Miss.FOREIGN
        ts_ns = self._clock.epoch(text(entry, "_SOURCE_REALTIME_TIMESTAMP") or text(entry, "__REALTIME_TIMESTAMP"))
        if ts_ns is None:
            return Miss.NO_TIME
        program = text(entry, "SYSLOG_IDENTIFIER") or text(entry, "_COMM")
        pid = text(entry, "_PID") or text(entry, "SYSLOG_PID")
        return self._dispatch.read(ts_ns, program, pid, _message(entry))

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""
        return self._dispatch.close()


def _message(entry: Mapping[str, object]) -> str:
    """The message; one with bytes that are no text comes as a list of numbers."""
    message = entry["MESSAGE"]
    if isinstance(message, list):
        return bytes(one for one in message if isinstance(one, int) and 0 <= one < 256).decode("utf-8", "replace")
    return message if isinstance(message, str) else ""


def _recognises(line: str) -> bool:
    return '"MESSAGE"' in line and '"__REALTIME_TIMESTAMP"' in line and decoded(line) is not None


JOURNAL = LogFormat("journal", "journalctl -o json", _recognises, JournalLines)
