"""Lines of any log by a template: text with fields in braces, read from the left or from the right.

A field ends where the text behind it is found next. Names and other free text are a client's words, and may hold what
the template has around its address. So the address is read from that end of the line from which no free text is
crossed. Where both ends have some, every place that could be the address is looked at: the true one is always among
them, and if they do not agree the line is ambiguous. All of this takes time linear in the line.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from lapwing.logins.logs.context import host_port, port
from lapwing.logins.logs.contract import Miss

FIELDS = ("time", "address", "port", "user", "word", "number", "any")
FREE = frozenset({"user", "any"})  # may hold anything, also what looks like the rest of the line
MAX_FIELDS = 16  # of a template
MAX_TIME_CHARS = 48
MAX_BLANKS = 6  # inside a time
MAX_HOST_CHARS = 64  # of an address with its port
_BRACES = re.compile(r"\{(\w+)\}")


def _is_address(text: str) -> bool:
    return host_port(text)[0] is not None


_FITS: dict[str, Callable[[str], bool]] = {
    "time": lambda text: 8 <= len(text) <= MAX_TIME_CHARS and (":" in text or text.replace(".", "").isdigit()),
    "address": _is_address,
    "port": lambda text: port(text) is not None,
    "user": lambda _text: True,
    "word": lambda text: bool(text) and " " not in text,
    "number": lambda text: text.isascii() and text.isdigit(),
    "any": lambda _text: True,
}


_Reader = Callable[[str], list[str] | None]


class Found(NamedTuple):
    """Texts of the fields of a line; empty where the template has no such field."""

    time: str
    address: str
    port: str
    user: str


class Template:
    """A template such as `{time} login failed for {user} from {address}`; doubled braces stand for braces."""

    __slots__ = ("_at", "_fields", "_literals", "_readers", "mark", "text")

    def __init__(self, text: str) -> None:
        """Raise ValueError saying what is wrong with `text`."""
        self.text = text
        self._literals, self._fields = _split(text)
        if not any(literal.strip() for literal in self._literals):
            raise ValueError(f"template {text!r} has no text of its own to be known by")
        self.mark = max(self._literals, key=len)
        """Occurs in every line that fits."""
        self._at = self._fields.index("address") if "address" in self._fields else -1
        self._readers: tuple[_Reader, ...] = (self._from_left, self._from_right)
        if self._at < 0 or FREE.isdisjoint(self._fields[: self._at]):
            self._readers = (self._from_left,)
        elif FREE.isdisjoint(self._fields[self._at + 1 :]):
            self._readers = (self._from_right,)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of its fields, from the left."""
        return self._fields

    def find(self, line: str) -> Found | Literal[Miss.AMBIGUOUS] | None:
        """Return the fields of `line`, None when it does not fit."""
        if self.mark not in line:
            return None
        values = next((values for reader in self._readers if (values := reader(line)) is not None), None)
        if values is None:
            return None
        if len(self._readers) > 1 and len(self._candidates(line)) != 1:
            return Miss.AMBIGUOUS
        return _found(self._fields, values)

    def _candidates(self, line: str) -> set[str | None]:
        """Every address that stands between the texts that enclose the template's own."""
        before, behind = self._literals[self._at], self._literals[self._at + 1]
        found: set[str | None] = set()
        place = line.find(before)
        while place >= 0:
            start = place + len(before)
            end = line.find(behind, start, start + MAX_HOST_CHARS + len(behind))
            if end >= 0:
                found.add(host_port(line[start:end])[0])
            place = line.find(before, place + 1)
        found.discard(None)
        return found

    def _from_left(self, line: str) -> list[str] | None:
        if not line.startswith(self._literals[0]):
            return None
        place, values = len(self._literals[0]), list[str]()
        for field, literal in zip(self._fields, self._literals[1:], strict=True):
            last = len(values) == len(self._fields) - 1
            end = len(line) if last and not literal else line.find(literal, place)
            if last and literal:
                end = len(line) - len(literal) if line.endswith(literal) else -1
            if field == "time":
                end = _end_of_time(line, place, end, literal)
            if end < place or not _FITS[field](line[place:end]):
                return None
            values.append(line[place:end])
            place = end + len(literal)
        return values

    def _from_right(self, line: str) -> list[str] | None:
        if not line.endswith(self._literals[-1]):
            return None
        place, values = len(line) - len(self._literals[-1]), list[str]()
        for number in range(len(self._fields) - 1, -1, -1):
            literal = self._literals[number]
            if number == 0:
                start = len(literal) if line.startswith(literal) else -1
            else:
                start = line.rfind(literal, 0, place)
                start = start + len(literal) if start >= 0 else -1
            if start < 0 or start > place or not _FITS[self._fields[number]](line[start:place]):
                return None
            values.append(line[start:place])
            place = start - len(literal)
        values.reverse()
        return values


def _end_of_time(line: str, place: int, end: int, literal: str) -> int:
    """Where a time ends that begins at `place`: it may hold the text behind it, as `2026-01-05 10:00:00` a blank."""
    for _ in range(MAX_BLANKS):
        if end < 0 or not literal or _FITS["time"](line[place:end]):
            break
        end = line.find(literal, end + 1, place + MAX_TIME_CHARS + len(literal))
    return end


def _split(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Texts and fields of a template, in turn, beginning and ending with a text."""
    literals: list[str] = [""]
    fields: list[str] = []
    place = 0
    while place < len(text):
        if text.startswith(("{{", "}}"), place):
            literals[-1] += text[place]
            place += 2
            continue
        match = _BRACES.match(text, place)
        if match is None:
            if text[place] in "{}":
                raise ValueError(f"template {text!r}: a single brace; write it twice, or name a field in it")
            literals[-1] += text[place]
            place += 1
            continue
        name = match[1]
        if name not in FIELDS:
            raise ValueError(f"template {text!r}: no field {{{name}}}; there are {', '.join(FIELDS)}")
        if fields and not literals[-1]:
            raise ValueError(f"template {text!r}: between two fields there must be text")
        if name in fields and name not in ("word", "number", "any"):
            raise ValueError(f"template {text!r}: {{{name}}} stands there twice")
        fields.append(name)
        literals.append("")
        place = match.end()
    if not fields or len(fields) > MAX_FIELDS:
        raise ValueError(f"template {text!r} needs 1 to {MAX_FIELDS} fields")
    return tuple(literals), tuple(fields)


def _found(fields: tuple[str, ...], values: list[str]) -> Found:
    texts = dict(zip(fields, values, strict=True))
    return Found(texts.get("time", ""), texts.get("address", ""), texts.get("port", ""), texts.get("user", ""))
