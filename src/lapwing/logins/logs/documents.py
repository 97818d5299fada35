"""JSON lines: decoded once, and looked into without trusting what lies there."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from lapwing.events import AuthResolved
from lapwing.logins.logs.context import LogContext
from lapwing.logins.logs.contract import Miss, Reading

Document = Mapping[str, Any]

_decode = msgspec.json.Decoder().decode


def decoded(line: str) -> dict[str, Any] | None:
    """The JSON object of a line, also of a line of an array written one object a line; None for anything else."""
    line = line.strip().lstrip("[").rstrip("],").strip()
    if line[:1] != "{":
        return None
    try:
        document = _decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    return document if isinstance(document, dict) else None


def text(document: Document, *names: str) -> str:
    """The first of the fields `names` that holds text or a number, as text; empty when none does."""
    for name in names:
        value = document.get(name)
        if isinstance(value, str):
            if value:
                return value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return ""


def number(document: Document, *names: str) -> int | None:
    """The first of the fields `names` that holds a whole number, also one written as text."""
    found = text(document, *names)
    return int(found) if found.isascii() and found.isdigit() and len(found) <= 18 else None


def inside(document: Document, *names: str) -> dict[str, Any]:
    """The object below the fields `names`; an empty one where there is none."""
    found: Any = document
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


class DocumentLines(ABC):
    """The part common to readers of JSON lines; see LineReader. A subclass says what one document means."""

    __slots__ = ("_clock", "_context")

    def __init__(self, context: LogContext) -> None:
        self._context = context
        self._clock = context.clock

    def read(self, line: str) -> Reading:
        """See LineReader."""
        document = decoded(line)
        return Miss.FOREIGN if document is None else self.take(document)

    @abstractmethod
    def take(self, document: dict[str, Any]) -> Reading:
        """Read one document."""

    def close(self) -> Iterable[AuthResolved]:
        """See LineReader."""
        return ()
