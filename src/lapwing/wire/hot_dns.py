# cython: show_performance_hints=False
# mypy: ignore-errors
"""The compiled reader of DNS messages. Cython in pure-Python mode.

Semantics are those of `plain_dns`; tests hold the two together. Rules of this file: every byte is read through a
checked index of `data`, so that reading past its end raises IndexError; every function propagates its exceptions.
What is rare (names that need escapes, most record types) is left to the plain codec.
"""

import cython
from cython import int as cint
from cython import long as clong
from cython import uchar as u8

from lapwing.events import WireError
from lapwing.events.messages import DnsQuestion, DnsRecord
from lapwing.wire.dns_names import read_name
from lapwing.wire.dns_records import CLASS_NAMES, class_name, present, type_name

if not cython.compiled:
    raise ImportError("lapwing.wire.hot_dns runs only compiled; lapwing.wire.plain_dns is its twin")

# Bounds and numbers, as in dns, dns_names and plain_dns.
HEADER_BYTES = cython.declare(cint, 12)
MAX_QUESTIONS = cython.declare(cint, 64)
MAX_SECTION_RECORDS = cython.declare(cint, 512)
MAX_NAME_BYTES = cython.declare(cint, 255)
MAX_LABEL_BYTES = cython.declare(cint, 63)
MULTICAST_BIT = cython.declare(cint, 0x8000)
QUESTION_POINTER = cython.declare(cint, 0xC000 | 12)  # to the name of the first question
ASKED_HEAD_BYTES = cython.declare(cint, 4)  # transaction id and type before the name
OPCODES = cython.declare(cint, 0b1110111)  # as a set of bits

# Held here, they need no look into the module's dictionary.
_Question = cython.declare(object, DnsQuestion)
_Record = cython.declare(object, DnsRecord)

# Text is put together here. Nothing else can run in between, for the interpreter lock is held.
_ROOM = cython.declare(bytearray, bytearray(260))
_TEXT = cython.declare(u8[::1], _ROOM)


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _be16(data: bytes, at: cython.Py_ssize_t) -> cint:
    high: cint = cython.cast(u8, data[at])
    return (high << 8) | cython.cast(u8, data[at + 1])


@cython.cfunc
@cython.exceptval(-2)
def _plain_name(data: bytes, pos: cython.Py_ssize_t, used: cint) -> cint:
    """Write the name at `pos` to _TEXT from `used` on; return where it ends, -1 when it has bytes that need escapes."""
    lowest: cython.Py_ssize_t = pos
    start: cint = used
    size: cint = 1
    label: cint
    byte: cint
    plain: cython.bint = True
    length: cint = cython.cast(u8, data[pos])
    while length:
        if length <= MAX_LABEL_BYTES:
            size += length + 1
            if size > MAX_NAME_BYTES:
                raise WireError("name longer than 255 bytes")
            if used > start:
                _TEXT[used] = 0x2E
                used += 1
            pos += 1
            for label in range(length):
                byte = cython.cast(u8, data[pos + label])
                if 0x41 <= byte <= 0x5A:
                    byte |= 0x20
                elif not (0x61 <= byte <= 0x7A or 0x30 <= byte <= 0x39 or byte == 0x2D or byte == 0x5F):
                    plain = False
                _TEXT[used] = cython.cast(u8, byte)
                used += 1
            pos += length
        elif length >= 0xC0:
            pos = ((length & 0x3F) << 8) | cython.cast(u8, data[pos + 1])
            if pos >= lowest:
                raise WireError("compression pointer does not point backwards")
            lowest = pos
        else:
            raise WireError("label type is not defined")
        length = cython.cast(u8, data[pos])
    return used if plain else -1


@cython.cfunc
def _name(data: bytes, pos: cython.Py_ssize_t) -> object:
    used: cint = _plain_name(data, pos, 0)
    if used < 0:
        return read_name(data, pos)[0]
    return _ROOM[:used].decode("ascii")


@cython.cfunc
@cython.exceptval(-1)
def _after_name(data: bytes, pos: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return where a name ends that was found sound."""
    length: cint = cython.cast(u8, data[pos])
    while length:
        if length >= 0xC0:
            return pos + 2
        pos += length + 1
        length = cython.cast(u8, data[pos])
    return pos + 1


def read_dns(data: bytes, class_mask: cint) -> tuple:
    """Read a message; see `plain_dns.read_dns`."""
    pos: cython.Py_ssize_t = HEADER_BYTES
    number: cint
    questions: list = []
    answers: list = []
    name: object
    first: object = None
    try:
        additional_count: cint = _be16(data, HEADER_BYTES - 2)  # first: the whole header must be there
        question_count: cint = _be16(data, 4)
        if question_count > MAX_QUESTIONS:
            raise WireError("too many questions")
        for number in range(question_count):
            name = _name(data, pos)
            pos = _after_name(data, pos)
            if number == 0:
                first = name
            questions.append(_Question(name, _type(_be16(data, pos)), _class(_be16(data, pos + 2) & class_mask)))
            pos += 4
    except IndexError:
        raise WireError("message ends within its header or questions") from None
    number = _be16(data, 6)
    if number:
        _read_answers(data, pos, number, class_mask, first, answers)
    return _be16(data, 0), _be16(data, 2), questions, answers, _be16(data, 8), additional_count


def read_asked(data: bytes) -> tuple:
    """Read what pairs queries and answers; see `plain_dns.read_asked`. Nothing behind the questions matters."""
    pos: cython.Py_ssize_t = HEADER_BYTES
    number: cint
    used: cint
    place: cint
    asked: object = ""
    try:
        _be16(data, HEADER_BYTES - 2)  # first: the whole header must be there
        question_count: cint = _be16(data, 4)
        if question_count > MAX_QUESTIONS:
            raise WireError("too many questions")
        for number in range(question_count):
            used = _plain_name(data, pos, ASKED_HEAD_BYTES)
            name = None if used >= 0 else read_name(data, pos)[0]
            pos = _after_name(data, pos)
            _be16(data, pos + 2)
            if number == 0:
                for place in range(2):
                    _TEXT[place] = cython.cast(u8, data[place])
                    _TEXT[2 + place] = cython.cast(u8, data[pos + place])
                if name is None:
                    asked = _ROOM[:used].decode("latin-1")
                else:
                    asked = _ROOM[:ASKED_HEAD_BYTES].decode("latin-1") + name
            pos += 4
    except IndexError:
        raise WireError("message ends within its header or questions") from None
    return _be16(data, 2), asked


@cython.cfunc
@cython.exceptval(-1)
def _read_answers(
    data: bytes, pos: cython.Py_ssize_t, count: cint, class_mask: cint, first: object, answers: list
) -> cint:
    """Append whole answers up to the first that is cut or damaged."""
    size: cython.Py_ssize_t = len(data)
    end: cython.Py_ssize_t
    _: cint
    target: cint
    rtype: cint
    rclass: cint
    ttl_s: clong
    known: cint = -1 if first is None else QUESTION_POINTER  # most answers point to the name of the question
    known_name: object = first
    name: object
    try:
        for _ in range(count):
            target = _be16(data, pos)
            if target == known:
                name = known_name
                pos += 2
            else:
                name = _name(data, pos)
                if target >= 0xC000:
                    known = target
                    known_name = name
                    pos += 2
                else:
                    pos = _after_name(data, pos)
            rtype = _be16(data, pos)
            rclass = _be16(data, pos + 2)
            ttl_s = (cython.cast(clong, _be16(data, pos + 4)) << 16) | _be16(data, pos + 6)
            end = pos + 10 + _be16(data, pos + 8)
            pos += 10
            if end > size:
                break
            answers.append(
                _Record(name, _type(rtype), ttl_s, _present(data, pos, end, rtype), _class(rclass & class_mask))
            )
            pos = end
    except (IndexError, WireError):
        pass  # a truncated or damaged tail; what came before it is whole
    return 0


@cython.cfunc
def _type(number: cint) -> object:
    if number == 1:
        return "A"
    if number == 28:
        return "AAAA"
    return type_name(number)


@cython.cfunc
def _class(number: cint) -> object:
    return "IN" if number == 1 else class_name(number)


@cython.cfunc
def _present(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t, rtype: cint) -> object:
    if rtype == 1 and end - pos == 4:
        return _ROOM[: _put_ipv4(data, pos, 0)].decode("ascii")
    if rtype == 28 and end - pos == 16:
        return _ROOM[: _put_ipv6(data, pos)].decode("ascii")
    if rtype == 5 or rtype == 2 or rtype == 12:
        return _present_name(data, pos, end, rtype)
    return present(data, pos, end, rtype)


@cython.cfunc
def _present_name(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t, rtype: cint) -> object:
    try:
        name = _name(data, pos)
        if _after_name(data, pos) == end:
            return name or "."
    except (IndexError, WireError):
        pass  # shown as it is
    return present(data, pos, end, rtype)


@cython.cfunc
@cython.exceptval(-1)
def _put_ipv4(data: bytes, pos: cython.Py_ssize_t, used: cint) -> cint:
    """Write the four bytes at `pos` with dots to _TEXT from `used` on; return where they end."""
    number: cint
    byte: cint
    for number in range(4):
        if number:
            _TEXT[used] = 0x2E
            used += 1
        byte = cython.cast(u8, data[pos + number])
        if byte >= 100:
            _TEXT[used] = cython.cast(u8, 0x30 + byte // 100)
            used += 1
        if byte >= 10:
            _TEXT[used] = cython.cast(u8, 0x30 + byte // 10 % 10)
            used += 1
        _TEXT[used] = cython.cast(u8, 0x30 + byte % 10)
        used += 1
    return used


@cython.cfunc
@cython.exceptval(-1)
def _put_ipv6(data: bytes, pos: cython.Py_ssize_t) -> cint:
    """Write the 16 bytes at `pos` to _TEXT as RFC 5952 has them; return their length."""
    number: cint
    group: cint
    run: cint = 0
    best: cint = 1  # a single zero group stays
    best_end: cint = -1
    used: cint = 0
    nonzero: cint = 0
    for number in range(8):
        group = _be16(data, pos + 2 * number)
        run = 0 if group else run + 1
        if run > best:
            best = run
            best_end = number + 1
        if number < 5:
            nonzero |= group
    if nonzero == 0 and _be16(data, pos + 10) == 0xFFFF:
        for number in range(7):
            _TEXT[number] = cython.cast(u8, 0x3A if number < 2 or number == 6 else 0x66)
        return _put_ipv4(data, pos + 12, 7)
    number = 0
    while number < 8:
        if number == best_end - best:
            _TEXT[used] = 0x3A
            _TEXT[used + 1] = 0x3A
            used += 2
            number = best_end
            continue
        if number and number != best_end:
            _TEXT[used] = 0x3A
            used += 1
        used = _put_group(_be16(data, pos + 2 * number), used)
        number += 1
    return used


@cython.cfunc
@cython.exceptval(-1)
def _put_group(group: cint, used: cint) -> cint:
    digit: cint
    shift: cint = 12
    while shift > 0 and group >> shift == 0:
        shift -= 4
    while shift >= 0:
        digit = (group >> shift) & 0xF
        _TEXT[used] = cython.cast(u8, 0x30 + digit if digit < 10 else 0x57 + digit)
        used += 1
        shift -= 4
    return used


def looks_like_dns(data: bytes) -> cython.bint:
    """Tell whether a datagram begins like a DNS message; see `plain_dns.looks_like_dns`."""
    size: cython.Py_ssize_t = len(data)
    if size < HEADER_BYTES + 5:
        return False
    flags: cint = _be16(data, 2)
    questions: cint = _be16(data, 4)
    answers: cint = _be16(data, 6)
    if flags & 0x0040 or not (OPCODES >> ((flags >> 11) & 0xF)) & 1:
        return False
    if questions > MAX_QUESTIONS or answers > MAX_SECTION_RECORDS:
        return False
    if _be16(data, 8) > MAX_SECTION_RECORDS or _be16(data, 10) > MAX_SECTION_RECORDS:
        return False
    if flags & 0x8000 == 0 and flags & 0xF:
        return False  # a query has no response code
    if questions == 0 and (flags & 0x8000 == 0 or answers == 0):
        return False
    return _entry_fits(data, size)


@cython.cfunc
@cython.exceptval(-1)
def _entry_fits(data: bytes, size: cython.Py_ssize_t) -> cython.bint:
    pos: cython.Py_ssize_t
    rclass: cint
    try:
        _plain_name(data, HEADER_BYTES, 0)
        pos = _after_name(data, HEADER_BYTES)
    except (WireError, IndexError):
        return False
    if pos + 4 > size:
        return False
    rclass = _be16(data, pos + 2) & ~MULTICAST_BIT
    return _be16(data, pos) != 0 and (rclass == 1 or rclass in CLASS_NAMES)
