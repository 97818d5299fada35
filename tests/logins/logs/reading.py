"""Reads lines as a log, the shortest way."""

from datetime import UTC, datetime, tzinfo
from itertools import count

from lapwing.events import AuthResolved
from lapwing.logins import LoginSettings, SecretTagger
from lapwing.logins.logs import Clock, LogContext, LogFormat, LogLines, LogSettings, Miss, format_named

WRITTEN_NS = int(datetime(2026, 6, 30, 12, tzinfo=UTC).timestamp()) * 10**9


def context(logs: LogSettings | None = None, zone: tzinfo = UTC, written_ns: int = WRITTEN_NS) -> LogContext:
    tagger = SecretTagger(bytes(16))
    return LogContext(LoginSettings(), logs or LogSettings(), Clock(zone, written_ns), tagger, count(1).__next__)


def log(name: str | LogFormat | None, logs: LogSettings | None = None) -> LogLines:
    """A log of this kind, from its first line."""
    named = format_named(name) if isinstance(name, str) else name
    assert named is not None or name is None
    return LogLines(context(logs), named)


def logins(name: str | LogFormat | None, *lines: str, logs: LogSettings | None = None) -> list[AuthResolved]:
    """The logins in these lines; the format is recognised when `name` is None."""
    reader = log(name, logs)
    return [*reader.feed(list(lines)), *reader.close()]


def login(name: str | None, *lines: str, logs: LogSettings | None = None) -> AuthResolved:
    """The only login in these lines."""
    found = logins(name, *lines, logs=logs)
    assert len(found) == 1, found
    return found[0]


def miss(name: str | LogFormat, line: str) -> Miss:
    """Why this line gives no login."""
    reader = log(name)
    assert reader.feed([line]) == []
    (why,) = (one for one, number in reader.misses.items() if number)
    return why


def told(event: AuthResolved) -> str:
    """What matters of a login, in one line."""
    return f"{event.outcome} {event.client_ip} {event.username or '-'} {event.protocol} {event.mechanism}"
