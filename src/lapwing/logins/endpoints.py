"""Login surfaces: which request goes to which, under one name however its path is spelt."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

BODY_KINDS = frozenset({"form", "json", "multipart"})
MAX_PATH_CHARS = 512  # of a target; login surfaces are short, and templates name events
MAX_SEGMENTS = 12
MAX_SEGMENT_CHARS = 48  # a longer segment is an id or a token
ANY = "{id}"
MAX_REMEMBERED = 4096  # paths, and requests with their surfaces; a site has dozens that take logins

_RULE = re.compile(r"([A-Z]+) (/\S*)(?: ([a-z]+))?")
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_ID = re.compile(
    r"""[0-9]+
    |[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}   # UUID
    |(?=[a-f]*[0-9])[0-9a-f]{8,}                     # hex with a digit in it
    |(?=[^0-9]*[0-9])[0-9a-z_-]{20,}                 # other random-looking text
    """,
    re.VERBOSE,
)


Segments = tuple[str, ...]


class EndpointRule(NamedTuple):
    """A login surface; None in `segments` stands for any one segment, `body_kind` None for any body."""

    template: str
    method: str
    segments: tuple[str | None, ...]
    body_kind: str | None


def parse_rule(text: str) -> EndpointRule:
    """Read `METHOD /path [form|json|multipart]`. Raises ValueError."""
    match = _RULE.fullmatch(text)
    if match is None or (match[3] and match[3] not in BODY_KINDS):
        raise ValueError(f"endpoint {text!r} is not METHOD /path, optionally followed by one of form, json, multipart")
    method, path, body_kind = match.groups()
    parts = [part for part in path.split("/") if part]
    segments = tuple(None if part[0] == "{" and part[-1] == "}" else part.casefold() for part in parts)
    return EndpointRule(f"{method} /{'/'.join(parts)}", method, segments, body_kind)


class Endpoints:
    """Finds the surface of a request among rules; of several that fit, the first."""

    def __init__(self, rules: Sequence[str]) -> None:
        """Raise ValueError when a rule is none."""
        self._rules: dict[tuple[str, int], list[EndpointRule]] = {}
        for rule in map(parse_rule, rules):
            self._rules.setdefault((rule.method, len(rule.segments)), []).append(rule)
        self._remembered = lru_cache(maxsize=MAX_REMEMBERED)(self._find)

    @property
    def methods(self) -> frozenset[str]:
        """The methods of all rules."""
        return frozenset(method for method, _ in self._rules)

    def find_any_body(self, method: str, segments: Sequence[str]) -> str | None:
        """Like `find`, where the body is not known, as in an access log: any kind fits."""
        for rule in self._rules.get((method, len(segments)), ()):
            if all(want is None or want == have for want, have in zip(rule.segments, segments, strict=True)):
                return rule.template
        return None

    def find(self, method: str, segments: Segments, body_kind: str | None) -> str | None:
        """Return the template of the request, None when no rule fits. `segments` are those of `path_segments`."""
        return self._remembered(method, segments, body_kind)

    def _find(self, method: str, segments: Segments, body_kind: str | None) -> str | None:
        for rule in self._rules.get((method, len(segments)), ()):
            fits = all(want is None or want == have for want, have in zip(rule.segments, segments, strict=True))
            if fits and (rule.body_kind is None or rule.body_kind == body_kind):
                return rule.template
        return None


@lru_cache(maxsize=16)  # one per settings object in use
def compiled(rules: tuple[str, ...]) -> Endpoints:
    """Return the Endpoints of `rules`, made once."""
    return Endpoints(rules)


def path_segments(target: str) -> Segments:
    """Return the path of a request target in one spelling: no query, no case, no empty or dot segments."""
    start = 0
    if target[:1] != "/":
        origin = _ORIGIN.match(target)
        start = origin.end() if origin else 0
    return _segments(target[start : start + MAX_PATH_CHARS].partition("?")[0].partition("#")[0])


@lru_cache(maxsize=MAX_REMEMBERED)
def _segments(path: str) -> Segments:
    if "%" in path:
        path = unquote(path)
    segments: list[str] = []
    for part in path.casefold().split("/"):
        part = part.partition(";")[0]  # parameters such as ;jsessionid=
        if part == "..":
            del segments[-1:]
        elif part and part != ".":
            segments.append(part)
    return tuple(segments[:MAX_SEGMENTS])


@lru_cache(maxsize=MAX_REMEMBERED)
def derived_template(method: str, segments: Segments) -> str:
    """Return a template for a surface without a rule: the path with what looks like an id replaced."""
    return f"{method} /{'/'.join(ANY if _is_id(segment) else segment for segment in segments)}"


def _is_id(segment: str) -> bool:
    return len(segment) > MAX_SEGMENT_CHARS or _ID.fullmatch(segment) is not None
