"""Logs by description: what a pattern file says of text lines and JSON documents."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from lapwing.events import AuthResolved, Outcome, SettingsError
from lapwing.logins.logs.context import LogContext, host_port, port
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.documents import decoded
from lapwing.logins.logs.templates import Template

MAX_PATTERNS = 1_000  # of one file; each is tried on each line that holds its longest text

TIME_FIELDS = "time,timestamp,@timestamp,ts,t,eventTime"  # where a pattern names none

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of line and the login it tells of.

    `name` is the service, e.g. `shop`. Either `line` is a template such as
    `{time} login failed for {user} from {address}`, or `where` says which JSON documents are meant and `address`,
    `user`, `time` name the fields that hold these: with dots between the steps, and of several, separated by commas,
    the first that is there.
    """

    name: Text
    outcome: Outcome
    line: Text | None = None
    where: dict[str, str | bool | int] | None = None
    address: Text | None = None
    user: Text | None = None
    time: Text | None = None
    mechanism: Text = "password"
    endpoint: Text | None = None
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0

    def __post_init__(self) -> None:
        if (self.line is None) == (self.where is None):
            raise ValueError(f"pattern {self.name!r} needs either `line` or `where`")
        if self.line is not None:
            if "address" not in Template(self.line).fields:
                raise ValueError(f"pattern {self.name!r}: `line` needs {{address}}, or nobody can be told by it")
        elif not self.where:
            raise ValueError(f"pattern {self.name!r}: `where` must name a field, or every document is a login")
        elif not self.address:
            raise ValueError(f"pattern {self.name!r}: `address` must name the field that holds the client's address")


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pattern: tuple[Pattern, ...]


def parse_patterns(text: str, name: str) -> tuple[Pattern, ...]:
    """Read a pattern file. Raises SettingsError naming the file and what is wrong in it."""
    try:
        patterns = msgspec.convert(tomllib.loads(text), _File).pattern
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise SettingsError(f"{name}: {error}") from None
    for pattern in patterns:
        if pattern.line is not None and "time" not in Template(pattern.line).fields:
            raise SettingsError(f"{name}: pattern {pattern.name!r}: `line` needs {{time}}, or nobody knows when it was")
    if not 0 < len(patterns) <= MAX_PATTERNS:
        raise SettingsError(f"{name}: holds {len(patterns)} patterns, 1 to {MAX_PATTERNS} are right")
    return patterns


class PatternReader:
    """Reads lines by patterns, the first that fits; see LineReader."""

    __slots__ = ("_context", "_documents", "_templates")

    def __init__(self, context: LogContext, patterns: Iterable[Pattern]) -> None:
        self._context = context
        self._templates: list[tuple[Template, Pattern]] = []
        self._documents: list[Pattern] = []
        for pattern in patterns:
            if pattern.line is not None:
                self._templates.append((Template(pattern.line), pattern))
            else:
                self._documents.append(pattern)

    def read(self, line: str) -> Reading:
        """See LineReader."""
        found = self.message(None, line)
        if found is Miss.OTHER and self._documents and line[:1] == "{":
            return self._document(line)
        return Miss.FOREIGN if found is Miss.OTHER else found

    def message(self, ts_ns: int | None, line: str) -> Reading:
        """Read a line by the templates; `ts_ns` is its time where the template has none."""
        for template, pattern in self._templates:
            if template.mark not in line:
                continue
            found = template.find(line)
            if found is None:
                continue
            if isinstance(found, Miss):
                return found
            when = self._context.clock.any(found.time) if found.time else ts_ns
            return self._login(pattern, when, found.address, found.user, found.port)
        return Miss.OTHER

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""
        return ()

    def _document(self, line: str) -> Reading:
        document = decoded(line)
        if document is None:
            return Miss.FOREIGN
        for pattern in self._documents:
            where = pattern.where or {}
            if all(_value(document, path) == want for path, want in where.items()):
                when = self._context.clock.any(_first(document, pattern.time or TIME_FIELDS))
                name = _first(document, pattern.user or "")
                host = _first(document, pattern.address or "")
                return self._login(pattern, when, _text(host), _text(name), "")
        return Miss.OTHER

    def _login(self, pattern: Pattern, ts_ns: int | None, host: str, name: str, number: str) -> Reading:
        if ts_ns is None:
            return Miss.NO_TIME
        client_ip, client_port = host_port(host)
        if client_ip is None:
            return Miss.NO_ADDRESS
        return self._context.login(
            ts_ns,
            pattern.name,
            pattern.mechanism,
            client_ip,
            pattern.outcome,
            f"pattern {pattern.name}",
            username=name or None,
            client_port=client_port or port(number),
            endpoint=pattern.endpoint,
            confidence=pattern.confidence,
        )


def _first(document: Mapping[str, Any], paths: str) -> object:
    """The value at the first of `paths`, separated by commas, that is there."""
    found = (_value(document, path.strip()) for path in paths.split(","))
    return next((value for value in found if value not in (None, "")), None)


def _value(document: Mapping[str, Any], path: str) -> object:
    """The value under the name `path`, or the one its steps lead to."""
    if path in document:
        return document[path]
    value: object = document
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str:
    """Text or a number as text, as some applications know their accounts by; empty for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def pattern_format(name: str, title: str, patterns: Sequence[Pattern]) -> LogFormat:
    """A log format of these patterns."""

    templates = [Template(pattern.line) for pattern in patterns if pattern.line is not None]

    def recognises(line: str) -> bool:
        if any(template.find(line) is not None for template in templates):
            return True
        document = decoded(line)
        return document is not None and any(
            all(_value(document, path) == want for path, want in pattern.where.items())
            for pattern in patterns
            if pattern.where
        )

    return LogFormat(name, title, recognises, lambda context: PatternReader(context, patterns))
