# cython: show_performance_hints=False
# mypy: ignore-errors
"""The compiled reader of usual message heads. Cython in pure-Python mode.

Semantics are those of `http.usual`; tests hold the two together. Rules of this file: every byte is read through a
checked index of the head or of a view of it, so that reading past its end raises IndexError, which here says: not
usual, or not whole. Every function propagates its exceptions.
"""

import cython
from cython import int as cint
from cython import uchar as u8

from lapwing.protocols.http.framing import is_chunked, stated_length

if not cython.compiled:
    raise ImportError("lapwing.protocols.hot_http runs only compiled; lapwing.protocols.http.usual is its twin")

# Bounds and numbers, as in usual and framing.
MAX_USUAL_HEADERS = cython.declare(cint, 256)
MAX_USUAL_BYTES = cython.declare(cint, 65536)
MAX_LENGTH_DIGITS = cython.declare(cint, 18)
CHUNKED = cython.declare(cint, -1)
UNSTATED = cython.declare(cint, -3)

CR = cython.declare(cint, 0x0D)
LF = cython.declare(cint, 0x0A)
SPACE = cython.declare(cint, 0x20)
COLON = cython.declare(cint, 0x3A)

_METHODS = cython.declare(
    dict,
    {
        b"GET": "GET",
        b"POST": "POST",
        b"HEAD": "HEAD",
        b"PUT": "PUT",
        b"DELETE": "DELETE",
        b"OPTIONS": "OPTIONS",
        b"PATCH": "PATCH",
    },
)


def usual_request(head: bytes):
    """Read a request head; see `usual.usual_request`."""
    view: cython.const[u8][::1] = head
    start: cython.Py_ssize_t
    pos: cython.Py_ssize_t = 0
    headers: list = []
    try:
        while view[pos] != SPACE:
            pos += 1
            if pos > 7:
                return None
        method = _METHODS.get(head[:pos])
        if method is None:
            return None
        pos += 1
        start = pos
        while 0x21 <= view[pos] <= 0x7E:
            pos += 1
        if view[pos] != SPACE or pos == start:
            return None
        target = head[start:pos].decode("ascii")
        version = _version(view, pos + 1)
        if version is None or view[pos + 9] != CR or view[pos + 10] != LF:
            return None
        found = _headers(head, view, pos + 11, headers)
    except IndexError:
        return None
    return None if found is None else (method, target, version, headers, found[1], found[0])


def usual_response(head: bytes):
    """Read a response head; see `usual.usual_response`."""
    view: cython.const[u8][::1] = head
    pos: cython.Py_ssize_t = 13
    number: cint
    status: cint = 0
    headers: list = []
    try:
        version = _version(view, 0)
        if version is None or view[8] != SPACE or view[12] != SPACE or view[9] == 0x30:
            return None
        for number in range(9, 12):
            if not 0x30 <= view[number] <= 0x39:
                return None
            status = 10 * status + view[number] - 0x30
        while 0x20 <= view[pos] <= 0x7E:
            pos += 1
        if view[pos] != CR or view[pos + 1] != LF or (pos > 13 and (view[13] == SPACE or view[pos - 1] == SPACE)):
            return None
        reason = head[13:pos].decode("ascii")
        found = _headers(head, view, pos + 2, headers)
    except IndexError:
        return None
    return None if found is None else (status, reason, version, headers, found[0])


@cython.cfunc
def _version(view: cython.const[u8][::1], at: cython.Py_ssize_t) -> object:
    if view[at] != 0x48 or view[at + 1] != 0x54 or view[at + 2] != 0x54 or view[at + 3] != 0x50:
        return None
    if view[at + 4] != 0x2F or view[at + 5] != 0x31 or view[at + 6] != 0x2E:
        return None
    if view[at + 7] == 0x31:
        return "1.1"
    return "1.0" if view[at + 7] == 0x30 else None


@cython.cfunc
def _headers(head: bytes, view: cython.const[u8][::1], pos: cython.Py_ssize_t, headers: list) -> object:
    """Fill `headers` from `pos` to the end of the head and return framing and host; None when a line is not usual."""
    size: cython.Py_ssize_t = len(head)
    start: cython.Py_ssize_t
    length: cython.Py_ssize_t
    end: cython.Py_ssize_t
    byte: cint
    name: str
    value: str
    key: str
    framing: cython.longlong = UNSTATED  # a length has at most 18 digits
    host: object = None
    while view[pos] != CR:
        start = pos
        byte = view[pos]
        while 0x61 <= (byte | 0x20) <= 0x7A or 0x30 <= byte <= 0x39 or byte == 0x2D or byte == 0x5F:
            pos += 1
            byte = view[pos]
        if byte != COLON or pos == start or len(headers) == MAX_USUAL_HEADERS:
            return None
        length = pos - start
        name = head[start:pos].decode("ascii")
        pos += 1
        while view[pos] == SPACE:
            pos += 1
        end = pos
        start = pos
        while 0x20 <= view[pos] <= 0x7E:
            pos += 1
            if view[pos - 1] != SPACE:
                end = pos
        if view[pos] != CR or view[pos + 1] != LF:
            return None
        value = head[start:end].decode("ascii")
        pos += 2
        headers.append((name, value))
        if length != 4 and length != 14 and length != 17:
            continue
        key = name.lower()
        if key == "host":
            if host is None:
                host = value
        elif key == "content-length":
            if framing == UNSTATED:
                framing = _length(head, start, end)
        elif key == "transfer-encoding" and is_chunked(value):
            framing = CHUNKED
    if view[pos + 1] != LF or pos + 2 != size:
        return None
    return framing, host


def glance_request(data: bytes, at: cython.Py_ssize_t):
    """Look at a request head without its headers; see `usual.glance_request`."""
    pos: cython.Py_ssize_t = at
    start: cython.Py_ssize_t
    try:
        while data[pos] != SPACE:
            pos += 1
            if pos > at + 7:
                return None
        method = _METHODS.get(data[at:pos])
        if method is None:
            return None
        pos += 1
        start = pos
        while 0x21 <= data[pos] <= 0x7E:
            pos += 1
        if data[pos] != SPACE or pos == start or not _is_version(data, pos + 1):
            return None
        if data[pos + 9] != CR or data[pos + 10] != LF:
            return None
        seen = _glance(data, pos + 11)
    except IndexError:
        return None
    if seen is None or seen[0] - at > MAX_USUAL_BYTES:
        return None
    return seen[0], method, data[start:pos].decode("ascii"), seen[1], seen[2], seen[3]


def glance_response(data: bytes, at: cython.Py_ssize_t):
    """Look at a response head without its headers; see `usual.glance_response`."""
    pos: cython.Py_ssize_t = at + 13
    number: cython.Py_ssize_t
    status: cint = 0
    try:
        if not _is_version(data, at) or data[at + 8] != SPACE or data[at + 12] != SPACE or data[at + 9] == 0x30:
            return None
        for number in range(at + 9, at + 12):
            if not 0x30 <= data[number] <= 0x39:
                return None
            status = 10 * status + data[number] - 0x30
        while 0x20 <= data[pos] <= 0x7E:
            pos += 1
        if data[pos] != CR or data[pos + 1] != LF:
            return None
        if pos > at + 13 and (data[at + 13] == SPACE or data[pos - 1] == SPACE):
            return None
        seen = _glance(data, pos + 2)
    except IndexError:
        return None
    if seen is None or seen[0] - at > MAX_USUAL_BYTES:
        return None
    return seen[0], status, seen[1]


@cython.cfunc
@cython.exceptval(-1)
def _is_version(data: bytes, at: cython.Py_ssize_t) -> cython.bint:
    if data[at] != 0x48 or data[at + 1] != 0x54 or data[at + 2] != 0x54 or data[at + 3] != 0x50:
        return False
    if data[at + 4] != 0x2F or data[at + 5] != 0x31 or data[at + 6] != 0x2E:
        return False
    return data[at + 7] == 0x31 or data[at + 7] == 0x30


@cython.cfunc
def _glance(data: bytes, pos: cython.Py_ssize_t) -> tuple:
    """Return where the head ends, framing, content type, whether it authorizes; None when a line is not usual.

    Only names as long and with the first letter of one that matters are looked at.
    """
    start: cython.Py_ssize_t
    length: cython.Py_ssize_t
    end: cython.Py_ssize_t
    count: cint = 0
    byte: cint
    framing: cython.longlong = UNSTATED  # a length has at most 18 digits
    content_type: str = ""
    authorized: cython.bint = False
    while data[pos] != CR:
        start = pos
        byte = data[pos]
        while 0x61 <= (byte | 0x20) <= 0x7A or 0x30 <= byte <= 0x39 or byte == 0x2D or byte == 0x5F:
            pos += 1
            byte = data[pos]
        if byte != COLON or pos == start or count == MAX_USUAL_HEADERS:
            return None
        count += 1
        length = pos - start
        byte = data[start] | 0x20
        name = None
        if (length == 14 or length == 12) and byte == 0x63:  # content-length, content-type
            name = data[start:pos].lower()
        elif (length == 13 and byte == 0x61) or (length == 17 and byte == 0x74):  # authorization, transfer-encoding
            name = data[start:pos].lower()
        pos += 1
        while data[pos] == SPACE:
            pos += 1
        end = pos
        start = pos
        while 0x20 <= data[pos] <= 0x7E:
            pos += 1
            if data[pos - 1] != SPACE:
                end = pos
        if data[pos] != CR or data[pos + 1] != LF:
            return None
        pos += 2
        if name is None:
            continue
        if name == b"content-length":
            if framing == UNSTATED:
                framing = _length(data, start, end)
        elif name == b"content-type":
            content_type = data[start:end].decode("ascii")
        elif name == b"authorization":
            authorized = True
        elif name == b"transfer-encoding" and is_chunked(data[start:end].decode("ascii")):
            framing = CHUNKED
    if data[pos + 1] != LF:
        return None
    return pos + 2, framing, content_type if framing > 0 or framing == CHUNKED else None, authorized


@cython.cfunc
@cython.exceptval(-9)
def _length(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.longlong:
    """What a Content-Length says; see `framing.stated_length`."""
    found: cython.longlong = 0
    pos: cython.Py_ssize_t
    if not 0 < end - start <= MAX_LENGTH_DIGITS:
        return stated_length(data[start:end].decode("ascii"))
    for pos in range(start, end):
        if not 0x30 <= data[pos] <= 0x39:
            return stated_length(data[start:end].decode("ascii"))
        found = 10 * found + data[pos] - 0x30
    return found
