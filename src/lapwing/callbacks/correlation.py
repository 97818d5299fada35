"""Whose token is it: one function for every listener and every place a token can stand in.

Tokens are looked for in every run of letters and digits, at any offset, in any letter case, so prefixes, suffixes,
further labels and plus-addresses do not matter. An id that is a prefix of another loses to the longer one.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

from msgspec.structs import replace

from lapwing.callbacks.interaction import (
    Attribution,
    DnsInteraction,
    FtpInteraction,
    HttpInteraction,
    Interaction,
    LdapInteraction,
    OtherInteraction,
    Placement,
    SmtpInteraction,
    Turn,
)
from lapwing.callbacks.tokens import DEFAULT_NONCE_LENGTH, MIN_PART_LENGTH, is_correlation_id
from lapwing.events import Side

MAX_ID_LENGTHS = 8  # different lengths of ids registered at one time; each costs one look-up per character
MAX_ATTRIBUTIONS = 16  # tokens read out of one interaction; more is somebody listing ids, not somebody using one
TO_THE_END = 0  # nonce length of a session that did not say how long its nonces are

_DN_ESCAPE = re.compile(r"\\([0-9A-Fa-f]{2})")  # RFC 4514 section 2.4
_NAMED = {Placement.DNS_NAME, Placement.TLS_SNI, Placement.HTTP_HOST, Placement.MAIL_DOMAIN, Placement.MAIL_HELLO}

Found = TypeVar("Found", bound=Interaction)


class Place(NamedTuple):
    """A piece of text a token may stand in."""

    placement: Placement
    text: str


class Registry:
    """The correlation ids somebody listens for."""

    def __init__(self) -> None:
        self.nonce_lengths: dict[str, int] = {}
        self.id_lengths: tuple[int, ...] = ()  # longest first
        self.pattern: re.Pattern[str] | None = None  # words long enough for the shortest id with a nonce
        self._of_length: dict[int, int] = {}

    def add(self, correlation_id: str, nonce_length: int = DEFAULT_NONCE_LENGTH) -> None:
        """Listen for an id; its nonces have `nonce_length` characters, or reach `TO_THE_END` of the word.

        Raises ValueError for an id no host name can carry, and for a length too many.
        """
        key = correlation_id.lower()
        if not is_correlation_id(key):
            raise ValueError("a correlation id is letters and digits that fit a DNS label")
        if key not in self.nonce_lengths:
            if len(key) not in self._of_length and len(self._of_length) >= MAX_ID_LENGTHS:
                raise ValueError(f"ids of {MAX_ID_LENGTHS} different lengths are registered already")
            self._count(len(key), 1)
        self.nonce_lengths[key] = nonce_length

    def discard(self, correlation_id: str) -> None:
        """Listen no more; nothing happens when nobody did."""
        if self.nonce_lengths.pop(correlation_id.lower(), None) is not None:
            self._count(len(correlation_id), -1)

    def __contains__(self, correlation_id: str) -> bool:
        return correlation_id.lower() in self.nonce_lengths

    def __len__(self) -> int:
        return len(self.nonce_lengths)

    def _count(self, length: int, change: int) -> None:
        self._of_length[length] = self._of_length.get(length, 0) + change
        if not self._of_length[length]:
            del self._of_length[length]
        lengths = tuple(sorted(self._of_length, reverse=True))
        if lengths != self.id_lengths:
            self.id_lengths = lengths
            self.pattern = re.compile(rf"[0-9A-Za-z]{{{lengths[-1] + MIN_PART_LENGTH},}}") if lengths else None


def correlate(places: Iterable[Place], registry: Registry) -> list[Attribution]:
    """Return the tokens of registered ids in the order of the places, each once, at most `MAX_ATTRIBUTIONS`."""
    found: dict[str, Attribution] = {}
    for place in places:
        for text in _readings(place):
            for attribution in _search(place.placement, text, registry):
                found.setdefault(attribution.unique_id, attribution)
                if len(found) == MAX_ATTRIBUTIONS:
                    return list(found.values())
    return list(found.values())


def attribute(interaction: Found, registry: Registry) -> list[Found]:
    """Return the interaction once per token found in it; once, unattributed, when there is none."""
    attributions = _attributions(interaction, registry)
    if not attributions:
        return [interaction]
    return [replace(interaction, attribution=attribution) for attribution in attributions]


def _attributions(interaction: Interaction, registry: Registry) -> list[Attribution]:
    """What `correlate` finds; a DNS query, as nearly all are, has one place and mostly one reading and one token."""
    if type(interaction) is DnsInteraction and not interaction.peer.sni:
        name = interaction.name
        if "%" not in name and "\\" not in name:
            found = _search(Placement.DNS_NAME, name, registry)
            if len(found) < 2:
                return found
    return correlate(places(interaction), registry)


def _readings(place: Place) -> tuple[str, ...]:
    """The text as it stands, and with its escapes read where it has any."""
    text = place.text
    if "%" not in text and "\\" not in text:
        return (text,)
    readings = [text]
    if "%" in text:
        readings.append(unquote_to_bytes(text).decode("latin-1"))
    if "\\" in text:
        readings.append(_DN_ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text))
    return tuple(readings)


def _search(placement: Placement, text: str, registry: Registry) -> list[Attribution]:
    known, lengths, pattern = registry.nonce_lengths, registry.id_lengths, registry.pattern
    found: list[Attribution] = []
    if pattern is None:
        return found
    shortest = lengths[-1] + MIN_PART_LENGTH
    for run in pattern.finditer(text):
        word = run[0].lower()
        for start in range(len(word) - shortest + 1):
            for length in lengths:
                own_id = word[start : start + length]
                if own_id in known and (nonce := _nonce(word[start + length :], known[own_id])):
                    end = run.start() + start + length + len(nonce)
                    full_id = _full_id(placement, text, run.start() + start, end)
                    found.append(Attribution(own_id, nonce, full_id, placement))
                    break
    return found


def _nonce(rest: str, expected: int) -> str:
    if expected == TO_THE_END:
        return rest if len(rest) >= MIN_PART_LENGTH else ""
    return rest[:expected] if len(rest) >= expected else ""


def _full_id(placement: Placement, text: str, start: int, end: int) -> str:
    """In a host name all labels up to the token's; elsewhere the token as it was written."""
    if placement not in _NAMED:
        return text[start:end]
    dot = text.find(".", end)
    return text if dot < 0 else text[:dot]


def places(interaction: Interaction) -> Iterator[Place]:
    """Yield every text of an interaction that may hold a token, most telling first."""
    if interaction.peer.sni:
        yield Place(Placement.TLS_SNI, interaction.peer.sni)
    reader = _READERS.get(type(interaction))
    if reader is not None:
        yield from reader(interaction)


def _dns(interaction: DnsInteraction) -> Iterator[Place]:
    yield Place(Placement.DNS_NAME, interaction.name)


def _http(interaction: HttpInteraction) -> Iterator[Place]:
    if interaction.host:
        yield Place(Placement.HTTP_HOST, interaction.host)
    path, _, query = interaction.target.partition("?")
    scheme, separator, rest = path.partition("://")
    if separator and scheme.isalpha():  # absolute form, as sent to proxies
        authority, _, path = rest.partition("/")
        yield Place(Placement.HTTP_HOST, authority.rpartition("@")[2])
    yield Place(Placement.URL_PATH, path)
    if query:
        yield Place(Placement.URL_QUERY, query)
    text = interaction.raw_request.decode("latin-1")
    head, body = split_head(text)
    yield Place(Placement.HTTP_HEADER, head)
    yield Place(Placement.HTTP_BODY, body)


def split_head(text: str) -> tuple[str, str]:
    """Return what stands before and after the first empty line, whichever line ends are used."""
    end = _HEAD_END.search(text)
    return (text, "") if end is None else (text[: end.start()], text[end.end() :])


_HEAD_END = re.compile(r"\r?\n\r?\n")


def _smtp(interaction: SmtpInteraction) -> Iterator[Place]:
    for address in (*interaction.recipients, interaction.mail_from):
        local, at, domain = address.rpartition("@")
        if at:
            yield Place(Placement.MAIL_DOMAIN, domain)
        yield Place(Placement.MAIL_LOCAL_PART, local if at else address)
    yield Place(Placement.MAIL_HELLO, interaction.hello)
    yield Place(Placement.MAIL_USER, interaction.user)
    yield Place(Placement.MAIL_CONTENT, interaction.raw_request.decode("latin-1"))
    yield from _client_turns(interaction.turns)


def _ldap(interaction: LdapInteraction) -> Iterator[Place]:
    bind = interaction.operation == "bind"
    yield Place(Placement.LDAP_BIND_DN if bind else Placement.LDAP_BASE_DN, interaction.name)
    yield Place(Placement.LDAP_FILTER, interaction.search_filter)
    yield Place(Placement.OTHER, interaction.raw_request.decode("latin-1"))


def _ftp(interaction: FtpInteraction) -> Iterator[Place]:
    yield Place(Placement.FTP_PATH, interaction.path)
    yield Place(Placement.FTP_USER, interaction.user)
    yield from _client_turns(interaction.turns)


def _client_turns(turns: tuple[Turn, ...]) -> Iterator[Place]:
    """What was said where no command stands, or by a command without a field of its own."""
    for turn in turns:
        if turn.side is Side.CLIENT:
            yield Place(Placement.OTHER, turn.data.decode("latin-1"))


def _other(interaction: OtherInteraction) -> Iterator[Place]:
    yield Place(Placement.OTHER, interaction.raw_request.decode("latin-1"))


_READERS: dict[type[Interaction], Callable[..., Iterator[Place]]] = {
    DnsInteraction: _dns,
    HttpInteraction: _http,
    SmtpInteraction: _smtp,
    LdapInteraction: _ldap,
    FtpInteraction: _ftp,
    OtherInteraction: _other,
}
