# mypy: ignore-errors
# ruff: noqa: F403, F405 -- types and numbers of hot_types.pxd
"""The walk through a call's actions, and keys as events show them (Cython, pure-Python mode; types in `.pxd`).

`plain_walk.py` defines what it does.
"""

from binascii import b2a_base64
from hashlib import sha1

import cython
import numpy as np
from cython.cimports.lapwing.flows.hot_types import *

from lapwing.events import FlowKey, Transport
from lapwing.flows.layout import ACTION_DTYPE, KEY_DTYPE
from lapwing.flows.rules import ICMP6_PAIRS, ICMP_PAIRS
from lapwing.flows.text import address_text

if not cython.compiled:
    raise ImportError("lapwing.flows.hot_walk runs only compiled; lapwing.flows.plain_walk is its twin")

FIRST_ROWS = 1024  # slots kept at first; doubled when a higher one opens
READ = cython.declare(cython.int, 1)  # interest in a flow; 0 when nothing of it was seen yet
IGNORED_FLOW = cython.declare(cython.int, 2)
SCRATCH_BYTES = 48  # the longest text is an IPv6 address of 45 characters, the longest id input 40 bytes
_TRANSPORTS = {6: Transport.TCP, 17: Transport.UDP, 1: Transport.ICMP, 58: Transport.ICMP6, 132: Transport.SCTP}
_OTHER = Transport.OTHER


class ActionWalk:
    """Goes through the actions of a call. See `plain_walk.ActionWalk`."""

    def __init__(self, *, everything=False):
        self.everything = everything
        self._rows = np.zeros(FIRST_ROWS, KEY_DTYPE)
        self.rows = self._rows
        self._interest = np.zeros(FIRST_ROWS, np.uint8)
        self.interest = self._interest
        self._idle = np.zeros(2 * FIRST_ROWS, np.int64)
        self.idle = self._idle
        self._scratch = bytearray(SCRATCH_BYTES)
        self.scratch = self._scratch
        self.actions = self._whole_actions = np.zeros(0, ACTION_DTYPE)
        self.fresh = self._whole_keys = np.zeros(0, KEY_DTYPE)
        self.pairs = dict(ICMP_PAIRS)
        self.pairs6 = dict(ICMP6_PAIRS)

    def begin(self, actions, keys, chunk, arena):
        """Start with another call; actions and keys are the first rows of arrays that a table uses again and again."""
        whole = actions if actions.base is None else actions.base
        if whole is not self._whole_actions:  # to look at an array's layout takes longer than at its rows
            self.actions = self._whole_actions = whole
        whole = keys if keys.base is None else keys.base
        if whole is not self._whole_keys:
            self.fresh = self._whole_keys = whole
        self.chunk = chunk
        self.arena = arena
        self.at = 0
        self.count = len(actions)

    def step(self):
        """Go on to the next action that must be handed out; False when there is none."""
        while self.at < self.count:
            action: cython.pointer[cython.const[Action]] = cython.address(self.actions[self.at])
            self.at += 1
            if self._wants(action):
                self.kind = action.kind
                self.slot = action.slot
                self.side = action.side
                self.length = action.length
                self.ts_ns = action.ts_ns
                self.aux = action.aux
                return True
        return False

    def data(self):
        """The payload of the action."""
        if self.length == 0:
            return b""
        action: cython.pointer[cython.const[Action]] = cython.address(self.actions[self.at - 1])
        first: cython.Py_ssize_t = action.offset
        last: cython.Py_ssize_t = first + action.length - 1
        # Both ends are looked at, so all of it lies within.
        if action.source == CHUNK:
            return octets(cython.address(self.chunk[first]), action.length) if self.chunk[last] >= 0 else b""
        return octets(cython.address(self.arena[first]), action.length) if self.arena[last] >= 0 else b""

    def _wants(self, action):
        """Keep the books, and say whether the action must be handed out."""
        slot: cython.Py_ssize_t = action.slot
        if action.kind == DO_OPENED:
            self._open(slot, action.aux)
            return self.everything
        if action.kind == DO_ESTABLISHED:
            return self.everything
        if action.kind == DO_CLOSED:
            return self.everything or self.interest[slot] == READ
        if action.kind == DO_ANOMALY:
            return True
        if action.kind == DO_SEGMENT:
            return self.interest[slot] != IGNORED_FLOW and not self._rests(2 * slot + action.side, action.length)
        if action.kind == DO_DATAGRAM or action.kind == DO_ICMP_ERROR:
            return self.interest[slot] != IGNORED_FLOW
        return self.interest[slot] == READ

    def _rests(self, place, length):
        """Whether a segment lies within what nobody must see; it is then taken off that."""
        if self.idle[place] == 0 or length > self.idle[place]:
            return False
        self.idle[place] -= length
        return True

    def _open(self, slot, row):
        if slot >= self.rows.shape[0]:
            room: cython.Py_ssize_t = max(slot + 1, 2 * self.rows.shape[0])
            rows = np.zeros(room, KEY_DTYPE)
            rows[: self.rows.shape[0]] = self._rows
            interest = np.zeros(room, np.uint8)
            interest[: self.interest.shape[0]] = self._interest
            idle = np.zeros(2 * room, np.int64)
            idle[: self.idle.shape[0]] = self._idle
            self._rows, self._interest, self._idle = rows, interest, idle
            self.rows = rows
            self.interest = interest
            self.idle = idle
        self.rows[slot] = self.fresh[row]
        self.interest[slot] = 0
        self.idle[2 * slot] = 0
        self.idle[2 * slot + 1] = 0

    def read(self, slot: cython.Py_ssize_t):
        """Somebody reads the flow at `slot`: hand out all its actions until it closes."""
        self.interest[slot] = READ

    def ignore(self, slot: cython.Py_ssize_t):
        """Nobody reads the flow at `slot`: hand out none of its payload."""
        self.interest[slot] = IGNORED_FLOW

    def is_ignored(self, slot: cython.Py_ssize_t):
        """Whether nobody reads the flow at `slot` any more."""
        return self.interest[slot] == IGNORED_FLOW

    def rest(self, slot: cython.Py_ssize_t, side: cython.int, idle_bytes: i64):
        """Of the next payload of `side` nobody must see so many bytes."""
        self.idle[2 * slot + side] = idle_bytes

    def wake(self, slot: cython.Py_ssize_t, side: cython.int):
        """See all payload of `side` again; return how many of the idle bytes did not come."""
        left: i64 = self.idle[2 * slot + side]
        self.idle[2 * slot + side] = 0
        return left

    def key(self, slot: cython.Py_ssize_t):
        """The key of the flow at `slot`."""
        return self._flow_key(cython.address(self.rows[slot]))

    def flow_id(self, slot: cython.Py_ssize_t):
        """The id of the flow at `slot`."""
        return self.rows[slot].flow_id

    def server_port(self, slot: cython.Py_ssize_t):
        """The server port of the flow at `slot`."""
        return self.rows[slot].server_port

    def client_port(self, slot: cython.Py_ssize_t):
        """The client port of the flow at `slot`."""
        return self.rows[slot].client_port

    def _flow_key(self, key):
        version: cython.int = key.ip_version
        return FlowKey(
            key.flow_id,
            self._community_id(key),
            _TRANSPORTS.get(key.ip_protocol, _OTHER),
            self._address(version, key.client_hi, key.client_lo),
            key.client_port,
            self._address(version, key.server_hi, key.server_lo),
            key.server_port,
        )

    def _address(self, version, high, low):
        used: cython.Py_ssize_t
        if version == 0:
            return address_text(0, 0, low)
        if version == 4:
            used = self._octets(0, cython.cast(u32, low & 0xFFFFFFFF))
        elif high == 0 and low >> 32 == 0xFFFF:
            self._scratch[:7] = b"::ffff:"
            used = self._octets(7, cython.cast(u32, low & 0xFFFFFFFF))
        else:
            used = self._groups(high, low)
        return self._scratch[:used].decode("ascii")

    def _octets(self, at, address):
        """Write dotted decimal; returns where it ends."""
        shift: cython.int = 24
        while True:
            octet: cython.int = (address >> shift) & 0xFF
            if octet >= 100:
                self.scratch[at] = 48 + octet // 100
                at += 1
            if octet >= 10:
                self.scratch[at] = 48 + octet // 10 % 10
                at += 1
            self.scratch[at] = 48 + octet % 10
            at += 1
            if shift == 0:
                return at
            self.scratch[at] = 46
            at += 1
            shift -= 8

    def _groups(self, high, low):
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
                self.scratch[at] = 58
                self.scratch[at + 1] = 58
                at += 2
                group += length
                continue
            if group > 0 and group != best + length:
                self.scratch[at] = 58
                at += 1
            word: u64 = high if group < 4 else low
            number = cython.cast(cython.int, (word >> (48 - 16 * (group & 3))) & 0xFFFF)
            shift: cython.int = 12
            while shift > 0 and number >> shift == 0:
                shift -= 4
            while shift >= 0:
                digit: cython.int = (number >> shift) & 15
                self.scratch[at] = 48 + digit if digit < 10 else 87 + digit
                at += 1
                shift -= 4
            group += 1
        return at

    def _community_id(self, key):
        """Community ID version 1, seed 0 (community-id-spec)."""
        protocol: cython.int = key.ip_protocol
        swap: cython.bint
        if key.ip_version == 0:
            return ""
        if key.client_hi != key.server_hi:
            swap = key.client_hi > key.server_hi
        elif key.client_lo != key.server_lo:
            swap = key.client_lo > key.server_lo
        else:
            swap = key.client_port > key.server_port
        if protocol == 1 or protocol == 58:
            answers = self.pairs if protocol == 1 else self.pairs6
            if key.client_port not in answers:
                swap = False
        width: cython.int = 4 if key.ip_version == 4 else 16
        at: cython.Py_ssize_t = 2
        self.scratch[0] = 0
        self.scratch[1] = 0
        for turn in range(2):
            client: cython.bint = (turn == 0) != swap
            if width == 16:
                self._big_endian(at, key.client_hi if client else key.server_hi, 8)
                self._big_endian(at + 8, key.client_lo if client else key.server_lo, 8)
            else:
                self._big_endian(at, key.client_lo if client else key.server_lo, 4)
            at += width
        self.scratch[at] = protocol
        self.scratch[at + 1] = 0
        at += 2
        if protocol == 6 or protocol == 17 or protocol == 132 or protocol == 1 or protocol == 58:
            self._big_endian(at, key.server_port if swap else key.client_port, 2)
            self._big_endian(at + 2, key.client_port if swap else key.server_port, 2)
            at += 4
        digest = sha1(self._scratch[:at], usedforsecurity=False).digest()
        return "1:" + b2a_base64(digest, newline=False).decode("ascii")

    def _big_endian(self, at, value, size):
        place: cython.int
        for place in range(size):
            self.scratch[at + place] = (value >> (8 * (size - 1 - place))) & 0xFF
        return 0
