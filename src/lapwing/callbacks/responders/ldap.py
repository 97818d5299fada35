"""LDAP (RFC 4511) as a listener: every bind succeeds, every search finds one entry, everything else is noted."""

from lapwing.callbacks.interaction import LdapInteraction, Peer
from lapwing.callbacks.responders.base import Limits, Output, Responder, Send, StartTls, text
from lapwing.events import WireError
from lapwing.wire.ber import MAX_DEPTH, Element, message_size, read_elements, write, write_integer

MAX_MESSAGE_BYTES = 64 * 1024  # of one request; a search with a long filter has a few hundred
MAX_REQUESTS = 100  # per connection
MAX_FILTER_CHARS = 4096
MAX_GARBAGE_BYTES = 1024  # kept of what is no LDAP
START_TLS = b"1.3.6.1.4.1.1466.20037"  # RFC 4511 section 4.14

_SEQUENCE, _OCTETS, _ENUMERATED, _SET = 0x30, 0x04, 0x0A, 0x31
_BIND, _UNBIND, _SEARCH, _ABANDON, _EXTENDED = 0x60, 0x42, 0x63, 0x50, 0x77
_SIMPLE = 0x80
_OPERATIONS = {
    _BIND: "bind", _SEARCH: "search", _EXTENDED: "extended", 0x66: "modify", 0x68: "add", 0x4A: "delete",
    0x6C: "modify-dn", 0x6E: "compare",
}  # fmt: skip
_ANSWERS = {_BIND: 0x61, _SEARCH: 0x65, _EXTENDED: 0x78, 0x66: 0x67, 0x68: 0x69, 0x4A: 0x6B, 0x6C: 0x6D, 0x6E: 0x6F}
_SUCCESS, _PROTOCOL_ERROR, _UNWILLING = 0, 2, 53
_COMPARISONS = {0xA3: "=", 0xA5: ">=", 0xA6: "<=", 0xA8: "~="}
_COMBINED = {0xA0: "&", 0xA1: "|", 0xA2: "!"}
_PARTS = {0x80: ("", "*"), 0x81: ("*", "*"), 0x82: ("*", "")}


class LdapResponder(Responder):
    """One connection."""

    def __init__(self, peer: Peer, now_ns: int, *, limits: Limits | None = None, starttls: bool = True) -> None:
        super().__init__(peer, now_ns, limits)
        self._starttls = starttls
        self._data = bytearray()
        self._awaiting_tls = False
        self._request_count = 0

    def tls_started(self, now_ns: int, sni: str | None = None) -> list[Output]:
        """Go on inside TLS."""
        self._awaiting_tls = False
        return super().tls_started(now_ns, sni)

    @property
    def held_bytes(self) -> int:
        """Bytes of the request that has begun."""
        return len(self._data)

    def _received(self, data: bytes) -> list[Output]:
        if self._awaiting_tls:
            return []  # sent before the handshake: never to be taken for what was sent inside
        self._data += data
        outputs: list[Output] = []
        pos = 0
        while not self.ended and not self._awaiting_tls:
            request = self._next(pos)
            if request is None:
                break
            pos += len(request)
            outputs += self._request(request)
        del self._data[:pos]
        if self._awaiting_tls or self.ended:
            self._data.clear()
        else:
            self._message_done()
            outputs += self._check_fit()
        return outputs

    def _check_fit(self) -> list[Output]:
        """End where what is held can become no message; the first of it is waited for, as evidence."""
        if self._fits() or len(self._data) < MAX_GARBAGE_BYTES:
            return []
        del self._data[MAX_GARBAGE_BYTES:]
        return self._broken("no LDAP message of a sensible size")

    def _next(self, pos: int) -> bytes | None:
        head = bytes(self._data[pos : pos + 6])
        try:
            size = message_size(head)
        except WireError:
            return None
        if size is None or head[0] != _SEQUENCE or size > MAX_MESSAGE_BYTES or pos + size > len(self._data):
            return None
        return bytes(self._data[pos : pos + size])

    def _fits(self) -> bool:
        """Whether what is held can become a message."""
        head = bytes(self._data[:6])
        try:
            size = message_size(head)
        except WireError:
            return False
        return not head or (head[0] == _SEQUENCE and (size is None or size <= MAX_MESSAGE_BYTES))

    def _request(self, request: bytes) -> list[Output]:
        self._request_count += 1
        try:
            outputs = self._answer(request)
        except (ValueError, IndexError):  # WireError, or fewer or more fields than there should be
            report = self._report(request, "", malformed="not an LDAP request")
            return [report, Send(_notice()), *self._finish("not an LDAP request")]
        if self._request_count >= MAX_REQUESTS and not self.ended:
            outputs += self._finish("too many requests")
        return outputs

    def _answer(self, request: bytes) -> list[Output]:
        (outer,) = read_elements(request)
        number, operation, *_ = read_elements(outer.content, outer.start)
        kind = operation.tag
        if kind == _UNBIND:
            return self._finish("unbind")
        if kind == _ABANDON:
            return []
        name = _OPERATIONS.get(kind)
        if name is None or number.tag != 2:
            raise WireError("no request of LDAP")
        if kind == _EXTENDED:
            return self._extended(request, number.content, operation)
        fields = read_elements(operation.content, operation.start) if kind != 0x4A else [operation]
        dn = text(fields[1 if kind == _BIND else 0].content)
        if kind == _BIND:
            report = self._report(_without_password(request, fields), name, dn)
            return [report, Send(_result(number.content, kind, _SUCCESS))]
        if kind == _SEARCH:
            report = self._report(request, name, dn, filter_text(fields[6])[:MAX_FILTER_CHARS])
            return [report, Send(_entry(number.content, fields[0].content) + _result(number.content, kind, _SUCCESS))]
        return [self._report(request, name, dn), Send(_result(number.content, kind, _UNWILLING))]

    def _extended(self, request: bytes, number: bytes, operation: Element) -> list[Output]:
        wanted = read_elements(operation.content, operation.start)[0].content
        if wanted != START_TLS or not self._starttls or self.peer.tls:
            # Only the name is kept: a password change carries passwords.
            report = self._report(b"", "extended", text(wanted), size=len(request))
            return [report, Send(_result(number, _EXTENDED, _PROTOCOL_ERROR))]
        self._awaiting_tls = True
        return [Send(_result(number, _EXTENDED, _SUCCESS, write(0x8A, START_TLS))), StartTls()]

    def _report(
        self,
        request: bytes,
        operation: str,
        name: str = "",
        search_filter: str = "",
        *,
        malformed: str = "",
        size: int | None = None,
    ) -> LdapInteraction:
        return LdapInteraction(
            ts_ns=self._now_ns,
            peer=self.peer,
            raw_request=request,
            request_bytes=len(request) if size is None else size,
            malformed=malformed,
            operation=operation,
            name=name,
            search_filter=search_filter,
        )

    def _take_unread(self) -> bytes:
        rest = bytes(self._data)
        self._data.clear()
        return rest

    def _last_words(self, reason: str, rest: bytes) -> list[Output]:
        return [self._report(rest, "", malformed=reason)] if rest else []


def _without_password(request: bytes, fields: list[Element]) -> bytes:
    """The bind with its credentials overwritten, so that it stays a message of the same size."""
    credentials = fields[2]
    end = credentials.start + len(credentials.content)
    return request[: credentials.start] + b"*" * len(credentials.content) + request[end:]


def _result(number: bytes, kind: int, code: int, *more: bytes) -> bytes:
    body = write(_ANSWERS[kind], write_integer(code, _ENUMERATED), write(_OCTETS), write(_OCTETS), *more)
    return write(_SEQUENCE, write(2, number), body)


def _entry(number: bytes, base: bytes) -> bytes:
    attribute = write(_SEQUENCE, write(_OCTETS, b"objectClass"), write(_SET, write(_OCTETS, b"top")))
    return write(_SEQUENCE, write(2, number), write(0x64, write(_OCTETS, base), write(_SEQUENCE, attribute)))


def _notice() -> bytes:
    """Notice of disconnection (RFC 4511 section 4.4.1)."""
    result = (write_integer(_PROTOCOL_ERROR, _ENUMERATED), write(_OCTETS), write(_OCTETS))
    return write(_SEQUENCE, write_integer(0), write(0x78, *result, write(0x8A, b"1.3.6.1.4.1.1466.20036")))


def filter_text(element: Element, depth: int = 0) -> str:
    """Return a search filter as text (RFC 4515). Raises WireError for one that is none or nested too deeply."""
    if depth > MAX_DEPTH:
        raise WireError("filter nested too deeply")
    tag, content, _ = element
    if tag in _COMBINED:
        return f"({_COMBINED[tag]}{''.join(filter_text(one, depth + 1) for one in read_elements(content))})"
    if tag in _COMPARISONS:
        name, value = read_elements(content)
        return f"({_value(name.content)}{_COMPARISONS[tag]}{_value(value.content)})"
    if tag == 0x87:
        return f"({_value(content)}=*)"
    if tag == 0xA4:
        name, parts = read_elements(content)
        return f"({_value(name.content)}={_substrings(read_elements(parts.content))})"
    if tag == 0xA9:
        fields = {one.tag: _value(one.content) for one in read_elements(content)}
        rule = f":{fields[0x81]}" if 0x81 in fields else ""
        return f"({fields.get(0x82, '')}{rule}:={fields.get(0x83, '')})"
    raise WireError("no filter")


def _substrings(parts: list[Element]) -> str:
    shown = ""
    for part in parts:
        before, after = _PARTS.get(part.tag, ("*", "*"))
        shown += ("" if shown.endswith("*") else before) + _value(part.content) + after
    return shown


def _value(data: bytes) -> str:
    return "".join(f"\\{ord(one):02x}" if one in "()*\\\0" else one for one in text(data))
