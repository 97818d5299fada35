# mypy: ignore-errors
# ruff: noqa: F403, F405 -- types and numbers of hot_types.pxd
"""Addresses and community ids as text, for the compiled walk and events (Cython, pure-Python mode; types in `.pxd`).

`text.py` defines what they are. Texts are put together in one room of this module: nothing else can run in between,
for the interpreter lock is held.

A flow is named when it opens, when its protocol is known and when it closes, and most are short. So the names made
last are kept, each at the place its endpoints choose, where the next of that place takes its room.
"""

import cython
import numpy as np
from cython.cimports.lapwing.flows.hot_types import *

from lapwing.events import Transport
from lapwing.flows.layout import KEY_DTYPE
from lapwing.flows.rules import ICMP6_PAIRS, ICMP_PAIRS
from lapwing.flows.text import address_text

if not cython.compiled:
    raise ImportError("lapwing.flows.hot_text runs only compiled; lapwing.flows.text is its twin")

ROOM_BYTES = 64  # one block of SHA-1; the longest text is an IPv6 address of 45 characters
HASHED_BYTES = cython.declare(cython.Py_ssize_t, 20)
ID_CHARS = cython.declare(cython.Py_ssize_t, 30)  # `1:` and 20 bytes in base64
_TRANSPORTS = cython.declare(
    dict, {6: Transport.TCP, 17: Transport.UDP, 1: Transport.ICMP, 58: Transport.ICMP6, 132: Transport.SCTP}
)
_OTHER = cython.declare(object, Transport.OTHER)
_pairs = cython.declare(dict, dict(ICMP_PAIRS))
_pairs6 = cython.declare(dict, dict(ICMP6_PAIRS))
_room = cython.declare(bytearray, bytearray(ROOM_BYTES))
_text = cython.declare(u8[::1], _room)
_state = cython.declare(u32[::1], np.zeros(5, np.uint32))
KEPT = cython.declare(cython.Py_ssize_t, 4096)  # names of flows, a power of two; half a kilobyte each
SPREAD = cython.declare(u64, 0x9E3779B97F4A7C15)  # odd, its bits without order: a product has all of a key on top
_kept = cython.declare(list, [None] * KEPT)
_owners = cython.declare(Key[::1], np.zeros(KEPT, KEY_DTYPE))  # of them; only what names depend on is filled in
_LETTERS = cython.declare(cython.const[u8][::1], b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def names_of(version, protocol, client_hi, client_lo, client_port, server_hi, server_lo, server_port):
    """Community id, transport, client's and server's address as text."""
    ports: u64 = cython.cast(u64, client_port) << 16 | cython.cast(u64, server_port)
    mixed: u64 = ((client_hi ^ client_lo) * SPREAD ^ server_hi ^ server_lo) * SPREAD ^ ports
    place: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, mixed * SPREAD >> 32) & (KEPT - 1)
    owner: cython.pointer[Key] = cython.address(_owners[place])
    names: tuple = _kept[place]
    if (
        names is not None
        and owner.client_lo == client_lo
        and owner.server_lo == server_lo
        and owner.client_hi == client_hi
        and owner.server_hi == server_hi
        and owner.client_port == client_port
        and owner.server_port == server_port
        and owner.ip_version == version
        and owner.ip_protocol == protocol
    ):
        return names
    names = (
        community_of(version, protocol, client_hi, client_lo, client_port, server_hi, server_lo, server_port),
        transport_of(protocol),
        address_of(version, client_hi, client_lo),
        address_of(version, server_hi, server_lo),
    )
    owner.client_hi = client_hi
    owner.client_lo = client_lo
    owner.server_hi = server_hi
    owner.server_lo = server_lo
    owner.client_port = client_port
    owner.server_port = server_port
    owner.ip_version = version
    owner.ip_protocol = protocol
    _kept[place] = names
    return names


def transport_of(protocol):
    """The word for an IP protocol."""
    return _TRANSPORTS.get(protocol, _OTHER)


def address_of(version, high, low):
    """See `text.address_text`."""
    used: cython.Py_ssize_t
    if version == 0:
        return address_text(0, 0, low)
    if version == 4:
        used = _octets(0, cython.cast(u32, low & 0xFFFFFFFF))
    elif high == 0 and low >> 32 == 0xFFFF:
        _room[:7] = b"::ffff:"
        used = _octets(7, cython.cast(u32, low & 0xFFFFFFFF))
    else:
        used = _groups(high, low)
    return _room[:used].decode("ascii")


def _octets(at, address):
    """Write dotted decimal; returns where it ends."""
    shift: cython.int = 24
    while True:
        octet: cython.int = (address >> shift) & 0xFF
        if octet >= 100:
            _text[at] = 48 + octet // 100
            at += 1
        if octet >= 10:
            _text[at] = 48 + octet // 10 % 10
            at += 1
        _text[at] = 48 + octet % 10
        at += 1
        if shift == 0:
            return at
        _text[at] = 46
        at += 1
        shift -= 8


def _groups(high, low):
    """Write eight groups, the first longest run of at least two zeros as `::` (RFC 5952); returns the end."""
    best: cython.int = 8
    length: cython.int = 1
    run: cython.int = 0
    group: cython.int
    number: cython.int
    for group in range(8):
        half: u64 = high if group < 4 else low
        run = run + 1 if (half >> (48 - 16 * (group & 3))) & 0xFFFF == 0 else 0
        if run > length:
            length = run
            best = group - run + 1
    at: cython.Py_ssize_t = 0
    group = 0
    while group < 8:
        if group == best:
            _text[at] = 58
            _text[at + 1] = 58
            at += 2
            group += length
            continue
        if group > 0 and group != best + length:
            _text[at] = 58
            at += 1
        word: u64 = high if group < 4 else low
        number = cython.cast(cython.int, (word >> (48 - 16 * (group & 3))) & 0xFFFF)
        shift: cython.int = 12
        while shift > 0 and number >> shift == 0:
            shift -= 4
        while shift >= 0:
            digit: cython.int = (number >> shift) & 15
            _text[at] = 48 + digit if digit < 10 else 87 + digit
            at += 1
            shift -= 4
        group += 1
    return at


def community_of(version, protocol, client_hi, client_lo, client_port, server_hi, server_lo, server_port):
    """See `text.community_id`."""
    if version == 0:
        return ""
    one_way: cython.bint = False
    if protocol == 1 or protocol == 58:
        one_way = client_port not in (_pairs if protocol == 1 else _pairs6)
    swap: cython.bint = False
    if one_way:
        pass
    elif client_hi != server_hi:
        swap = client_hi > server_hi
    elif client_lo != server_lo:
        swap = client_lo > server_lo
    else:
        swap = client_port > server_port
    width: cython.int = 4 if version == 4 else 16
    at: cython.Py_ssize_t = 2
    turn: cython.int
    _text[0] = 0
    _text[1] = 0
    for turn in range(2):
        client: cython.bint = (turn == 0) != swap
        if width == 16:
            _big_endian(at, client_hi if client else server_hi, 8)
            _big_endian(at + 8, client_lo if client else server_lo, 8)
        else:
            _big_endian(at, client_lo if client else server_lo, 4)
        at += width
    _text[at] = protocol
    _text[at + 1] = 0
    at += 2
    if protocol == 6 or protocol == 17 or protocol == 132 or protocol == 1 or protocol == 58:
        _big_endian(at, server_port if swap else client_port, 2)
        _big_endian(at + 2, client_port if swap else server_port, 2)
        at += 4
    _hash(at)
    return _in_base64()


def _big_endian(at, value, size):
    place: cython.int
    for place in range(size):
        _text[at + place] = (value >> (8 * (size - 1 - place))) & 0xFF
    return 0


def _hash(length):
    """SHA-1 (FIPS 180-4, 6.1.3) of the first bytes of the room, at most 55: with their padding they are one block.

    Of its eighty words the last sixteen matter: they stand in a ring of that size, whose places are counted modulo it.
    """
    at: cython.Py_ssize_t
    turn: cython.int
    for at in range(length + 1, 62):
        _text[at] = 0
    _text[length] = 0x80
    _big_endian(62, 8 * length, 2)
    for turn in range(16):
        at = 4 * turn
        first: u32 = _text[at]
        second: u32 = _text[at + 1]
        third: u32 = _text[at + 2]
        _words[turn & 15] = first << 24 | second << 16 | third << 8 | _text[at + 3]
    a: u32 = 0x67452301
    b: u32 = cython.cast(u32, 0xEFCDAB89)
    c: u32 = cython.cast(u32, 0x98BADCFE)
    d: u32 = 0x10325476
    e: u32 = cython.cast(u32, 0xC3D2E1F0)
    mixed: u32
    for turn in range(80):
        if turn < 20:
            mixed = (d ^ (b & (c ^ d))) + cython.cast(u32, 0x5A827999)
        elif turn < 40:
            mixed = (b ^ c ^ d) + cython.cast(u32, 0x6ED9EBA1)
        elif turn < 60:
            mixed = ((b & c) | (d & (b | c))) + cython.cast(u32, 0x8F1BBCDC)
        else:
            mixed = (b ^ c ^ d) + cython.cast(u32, 0xCA62C1D6)
        if turn >= 16:
            earlier: u32 = _words[(turn - 3) & 15] ^ _words[(turn - 8) & 15] ^ _words[(turn - 14) & 15]
            _words[turn & 15] = _turned(earlier ^ _words[turn & 15], 1)
        mixed += _turned(a, 5) + e + _words[turn & 15]
        e = d
        d = c
        c = _turned(b, 30)
        b = a
        a = mixed
    _state[0] = a + 0x67452301
    _state[1] = b + cython.cast(u32, 0xEFCDAB89)
    _state[2] = c + cython.cast(u32, 0x98BADCFE)
    _state[3] = d + 0x10325476
    _state[4] = e + cython.cast(u32, 0xC3D2E1F0)
    return 0


def _turned(word, places):
    return word << places | word >> (32 - places)


def _in_base64():
    """What was hashed last, as the text of a community id."""
    place: cython.Py_ssize_t
    at: cython.Py_ssize_t = 2
    held: u32 = 0
    bits: cython.int = 0
    for place in range(HASHED_BYTES):
        held = held << 8 | ((_state[place >> 2] >> (24 - 8 * (place & 3))) & 0xFF)
        bits += 8
        while bits >= 6:
            bits -= 6
            _text[at] = _LETTERS[(held >> bits) & 63]
            at += 1
    # 160 bits are 26 letters and four bits more.
    _text[at] = _LETTERS[(held << 2) & 63]
    _text[at + 1] = 0x3D
    _text[0] = 0x31
    _text[1] = 0x3A
    return _room[:ID_CHARS].decode("ascii")
