# mypy: ignore-errors
# ruff: noqa: F403, F405 -- types and numbers of hot_types.pxd
"""The walk through a call's actions (Cython, pure-Python mode; types in `.pxd`).

`plain_walk.py` defines what it does.
"""

import cython
import numpy as np
from cython.cimports.lapwing.flows.hot_text import names_of
from cython.cimports.lapwing.flows.hot_types import *

from lapwing.events import FlowKey
from lapwing.flows.layout import ACTION_DTYPE, KEY_DTYPE

if not cython.compiled:
    raise ImportError("lapwing.flows.hot_walk runs only compiled; lapwing.flows.plain_walk is its twin")

FIRST_ROWS = 1024  # slots kept at first; doubled when a higher one opens
READ = cython.declare(cython.int, 1)  # interest in a flow; 0 when nothing of it was seen yet
IGNORED_FLOW = cython.declare(cython.int, 2)


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
        self.actions = self._whole_actions = np.zeros(0, ACTION_DTYPE)
        self.fresh = self._whole_keys = np.zeros(0, KEY_DTYPE)

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
        flow_id, community, transport, client_ip, client_port, server_ip, server_port = self.fields(slot)
        return FlowKey(flow_id, community, transport, client_ip, client_port, server_ip, server_port)

    def fields(self, slot: cython.Py_ssize_t):
        """The fields of that key, in their order."""
        row: cython.pointer[cython.const[Key]] = cython.address(self.rows[slot])
        names: tuple = names_of(
            row.ip_version,
            row.ip_protocol,
            row.client_hi,
            row.client_lo,
            row.client_port,
            row.server_hi,
            row.server_lo,
            row.server_port,
        )
        community, transport, client_ip, server_ip = names
        return (row.flow_id, community, transport, client_ip, row.client_port, server_ip, row.server_port)

    def flow_id(self, slot: cython.Py_ssize_t):
        """The id of the flow at `slot`."""
        return self.rows[slot].flow_id

    def server_port(self, slot: cython.Py_ssize_t):
        """The server port of the flow at `slot`."""
        return self.rows[slot].server_port

    def client_port(self, slot: cython.Py_ssize_t):
        """The client port of the flow at `slot`."""
        return self.rows[slot].client_port
