"""What a search of LDAP asks for (RFC 4511, 4.5.1), its filter as text (RFC 4515)."""

from typing import NamedTuple

from lapwing.events import WireError
from lapwing.events.messages.base import REDACTED
from lapwing.protocols.lines import text_of
from lapwing.wire.ber import Element, integer, read_elements

MAX_FILTER_CHARS = 1024  # of the text; a longer one is cut
MAX_FILTER_DEPTH = 16  # of filters in filters; what lies deeper is written as `...`
MAX_ATTRIBUTES = 64  # kept of those asked for

SCOPES = ("base", "single", "tree")
DEREFERENCES = ("never", "searching", "finding", "always")
# Whoever filters by these tries passwords.
SECRET_ATTRIBUTES = frozenset(
    {"userpassword", "unicodepwd", "authpassword", "sambantpassword", "sambalmpassword", "dbcspwd", "ntpwdhistory"}
)

_OCTETS, _SEQUENCE, _ENUMERATED = 4, 0x30, 10
_AND, _OR, _NOT, _SUBSTRINGS, _PRESENT, _EXTENSIBLE = 0xA0, 0xA1, 0xA2, 0xA4, 0x87, 0xA9
_COMPARISONS = {0xA3: "=", 0xA5: ">=", 0xA6: "<=", 0xA8: "~="}
_JOINED = {_AND: "&", _OR: "|", _NOT: "!"}
_INITIAL, _FINAL = 0x80, 0x82
_RULE, _TYPE, _VALUE, _WITH_NAMES = 0x81, 0x82, 0x83, 0x84
_SPECIAL = {char: f"\\{ord(char):02x}" for char in "*()\\\0"}


class Search(NamedTuple):
    """What is searched, how, and for what."""

    base: str
    scope: str
    deref_aliases: str
    filter: str
    attributes: list[str]


def read_search(content: bytes) -> Search | None:
    """Read the content of a search request; None when it is not of that form."""
    try:
        parts = read_elements(content)
        if len(parts) < 8 or [part.tag for part in parts[:3]] != [_OCTETS, _ENUMERATED, _ENUMERATED]:
            return None
        names = read_elements(parts[7].content) if parts[7].tag == _SEQUENCE else []
        return Search(
            _text(parts[0].content),
            _named(SCOPES, parts[1]),
            _named(DEREFERENCES, parts[2]),
            _filter(parts[6])[:MAX_FILTER_CHARS],
            [_text(name.content) for name in names[:MAX_ATTRIBUTES]],
        )
    except WireError:
        return None


def _named(names: tuple[str, ...], part: Element) -> str:
    number = integer(part.content)
    return names[number] if 0 <= number < len(names) else "unknown"


def _filter(part: Element, depth: int = 0) -> str:
    if depth >= MAX_FILTER_DEPTH:
        return "(...)"
    if part.tag in _JOINED:
        return f"({_JOINED[part.tag]}{_inner(part, depth + 1)})"
    if part.tag == _PRESENT:
        return f"({_text(part.content)}=*)"
    pieces = read_elements(part.content)
    if part.tag == _EXTENSIBLE:
        return _extensible(pieces)
    if len(pieces) != 2:
        raise WireError("a filter of another form")
    name = _text(pieces[0].content)
    if part.tag in _COMPARISONS:
        return f"({name}{_COMPARISONS[part.tag]}{_value(name, pieces[1].content)})"
    if part.tag == _SUBSTRINGS:
        return f"({name}={_substrings(name, pieces[1])})"
    raise WireError(f"a filter of unknown kind 0x{part.tag:02x}")


def _inner(part: Element, depth: int) -> str:
    """Filters side by side, no more of them than the text may hold."""
    text = ""
    for one in read_elements(part.content):
        text += _filter(one, depth)
        if len(text) > MAX_FILTER_CHARS:
            break
    return text


def _substrings(name: str, part: Element) -> str:
    pieces = read_elements(part.content)
    texts = [_value(name, piece.content) for piece in pieces]
    front = "" if pieces and pieces[0].tag == _INITIAL else "*"
    back = "" if pieces and pieces[-1].tag == _FINAL else "*"
    return front + "*".join(texts) + back


def _extensible(pieces: list[Element]) -> str:
    said = {piece.tag: piece.content for piece in pieces}
    name = _text(said.get(_TYPE, b""))
    names = ":dn" if said.get(_WITH_NAMES, b"\0") != b"\0" else ""
    rule = f":{_text(said[_RULE])}" if _RULE in said else ""
    return f"({name}{names}{rule}:={_value(name, said.get(_VALUE, b''))})"


def _value(name: str, content: bytes) -> str:
    if name.partition(";")[0].lower() in SECRET_ATTRIBUTES:
        return REDACTED
    return "".join(_SPECIAL.get(char, char) for char in _text(content))


def _text(content: bytes) -> str:
    return text_of(content[:MAX_FILTER_CHARS])
