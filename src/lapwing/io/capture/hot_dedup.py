# cython: show_performance_hints=False
# mypy: ignore-errors
# ruff: noqa: F821 -- types of hot_dedup.pxd
"""Packets remembered for a moment, compiled. Cython in pure-Python mode.

Semantics are those of `plain_dedup`; tests hold the two together. Bounds checks are on; of a word that is hashed the
first byte and the last are checked.
"""

import cython
import numpy as np
from cython import int as cint

if not cython.compiled:
    raise ImportError("lapwing.io.capture.hot_dedup runs only compiled; lapwing.io.capture.plain_dedup is its twin")

# As in cooked.
COOKED = cython.declare(cint, 113)
COOKED_2 = cython.declare(cint, 276)
OUTGOING = cython.declare(cint, 4)

_WORDS = ("wire_bytes", "next_alike", "older", "newer", "outgoing")
MEMORY = np.dtype([("name", "u8"), ("ts_ns", "i8"), *((name, "u4") for name in _WORDS)], align=True)


@cython.cfunc
@cython.nogil
@cython.exceptval(0, check=True)
def _sip(key_0: u64, key_1: u64, data: cython.const[u8][::1], begin: cython.Py_ssize_t, end: cython.Py_ssize_t) -> u64:
    """SipHash-1-3 of data[begin:end], which lies in `data`. Without the key nobody can make two packets of one hash."""
    size: cython.Py_ssize_t = end - begin
    words: cython.Py_ssize_t = size >> 3
    v0: u64 = key_0 ^ cython.cast(u64, 0x736F6D6570736575)
    v1: u64 = key_1 ^ cython.cast(u64, 0x646F72616E646F6D)
    v2: u64 = key_0 ^ cython.cast(u64, 0x6C7967656E657261)
    v3: u64 = key_1 ^ cython.cast(u64, 0x7465646279746573)
    word: u64 = 0
    last: u64 = cython.cast(u64, size) << 56
    at: cython.Py_ssize_t
    k: cython.Py_ssize_t
    for k in range(size & 7):
        last |= cython.cast(u64, data[begin + words * 8 + k]) << (8 * k)
    for k in range(words + 4):
        if k <= words:
            word = last
            if k < words:
                at = begin + k * 8
                word = lapwing_word(cython.address(data[at]), cython.address(data[at + 7]))
            v3 ^= word
        elif k == words + 1:
            v2 ^= 0xFF
        v0 += v1
        v1 = (v1 << 13 | v1 >> 51) ^ v0
        v0 = v0 << 32 | v0 >> 32
        v2 += v3
        v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 += v3
        v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 += v1
        v1 = (v1 << 17 | v1 >> 47) ^ v2
        v2 = v2 << 32 | v2 >> 32
        if k <= words:
            v0 ^= word
    return v0 ^ v1 ^ v2 ^ v3


def sip(key: bytes, data: bytes) -> int:
    """The hash, for tests: SipHash-1-3 under a key of 16 bytes."""
    view: cython.const[u8][::1] = data if data else b"\0"
    return _sip(int.from_bytes(key[:8], "little"), int.from_bytes(key[8:16], "little"), view, 0, len(data))


class Seen:
    """The last packets by what they are: a keyed hash of their bytes, and their length on the wire."""

    def __init__(self, limit, window_ns, skip_bytes, opposite_only, key):
        """See `plain_dedup`."""
        self.limit = limit
        self.memories = np.zeros(limit + 2, MEMORY)  # one more for the newest before the oldest goes, one for place 0
        self.buckets = np.zeros(1 << (2 * limit).bit_length(), np.uint32)
        self.mask = self.buckets.shape[0] - 1
        self.window_ns = window_ns
        self.skip_bytes = skip_bytes
        self.opposite_only = opposite_only
        self.key_0 = int.from_bytes(key[:8], "little")
        self.key_1 = int.from_bytes(key[8:16], "little")
        self.held = 0
        self.oldest = 0
        self.newest = 0
        self.free = 1
        place: u32
        for place in range(1, self.limit + 1):
            self.memories[place].next_alike = place + 1

    def sift(self, buffer, columns, keep):
        """See `plain_dedup`."""
        data: cython.const[u8][::1] = buffer
        ts_ns: cython.const[i64][::1]
        offsets: cython.const[u32][::1]
        captured: cython.const[u32][::1]
        wire_bytes: cython.const[u32][::1]
        link_types: cython.const[u16][::1]
        ts_ns, offsets, captured, wire_bytes, link_types = columns
        kept: u8[::1] = keep
        copies: cython.Py_ssize_t
        with cython.nogil:
            copies = self._sift(data, ts_ns, offsets, captured, wire_bytes, link_types, kept)
        return copies

    def _sift(self, data, ts_ns, offsets, captured, wire_bytes, link_types, keep):
        copies: cython.Py_ssize_t = 0
        k: cython.Py_ssize_t
        for k in range(ts_ns.shape[0]):
            offset: cython.Py_ssize_t = offsets[k]
            end: cython.Py_ssize_t = offset + captured[k]
            begin: cython.Py_ssize_t = offset + self.skip_bytes
            outgoing: cython.bint = False
            same_way_too: cython.bint = True
            if link_types[k] == COOKED or link_types[k] == COOKED_2:
                header: cython.Py_ssize_t = 16 if link_types[k] == COOKED else 20
                outgoing = captured[k] >= header and data[offset + (1 if header == 16 else 10)] == OUTGOING
                same_way_too = not self.opposite_only
                begin = offset + header
            end = min(end, data.shape[0])
            name: u64 = _sip(self.key_0, self.key_1, data, min(begin, end), end)
            now_ns: i64 = ts_ns[k]
            place: u32 = self._find(name, wire_bytes[k])
            if place:
                then_ns: i64 = self.memories[place].ts_ns
                apart_ns: u64 = cython.cast(u64, now_ns) - cython.cast(u64, then_ns)
                if now_ns < then_ns:
                    apart_ns = 0 - apart_ns
                copy: cython.bint = apart_ns <= self.window_ns and (
                    same_way_too or outgoing != cython.cast(cython.bint, self.memories[place].outgoing)
                )
                if copy:
                    keep[k] = 0
                    copies += 1
                if copy and not same_way_too:
                    self._remove(place)  # both are known now; what comes next is a packet of its own
                    continue
                self._unlink(place)
            else:
                place = self._add(name, wire_bytes[k])
            self.memories[place].ts_ns = now_ns
            self.memories[place].outgoing = outgoing
            self._make_newest(place)
            if self.held > self.limit:
                self._remove(self.oldest)
        return copies

    def _find(self, name, wire_bytes):
        place: u32 = self.buckets[name & self.mask]
        while place and (self.memories[place].name != name or self.memories[place].wire_bytes != wire_bytes):
            place = self.memories[place].next_alike
        return place

    def _add(self, name, wire_bytes):
        """A place for a packet not known yet; there always is one, as the oldest goes where there are too many."""
        place: u32 = self.free
        bucket: u64 = name & self.mask
        self.free = self.memories[place].next_alike
        self.memories[place].name = name
        self.memories[place].wire_bytes = wire_bytes
        self.memories[place].next_alike = self.buckets[bucket]
        self.buckets[bucket] = place
        self.held += 1
        return place

    def _remove(self, place):
        bucket: u64 = self.memories[place].name & self.mask
        alike: u32 = self.buckets[bucket]
        if alike == place:
            self.buckets[bucket] = self.memories[place].next_alike
        else:
            while self.memories[alike].next_alike != place:
                alike = self.memories[alike].next_alike
            self.memories[alike].next_alike = self.memories[place].next_alike
        self._unlink(place)
        self.memories[place].next_alike = self.free
        self.free = place
        self.held -= 1
        return 0

    def _unlink(self, place):
        older: u32 = self.memories[place].older
        newer: u32 = self.memories[place].newer
        if older:
            self.memories[older].newer = newer
        else:
            self.oldest = newer
        if newer:
            self.memories[newer].older = older
        else:
            self.newest = older
        return 0

    def _make_newest(self, place):
        self.memories[place].older = self.newest
        self.memories[place].newer = 0
        if self.newest:
            self.memories[self.newest].newer = place
        else:
            self.oldest = place
        self.newest = place
        return 0
