"""The walk through a call's actions: which of them anybody must see, and which flow a slot stands for meanwhile."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lapwing.events import FlowKey, Transport
from lapwing.flows.layout import KEY_DTYPE, ActionKind
from lapwing.flows.objects import flow_keys

READ, IGNORED = 1, 2  # interest in a flow; 0 when nothing of it was seen yet

_PAYLOAD = (ActionKind.SEGMENT, ActionKind.DATAGRAM, ActionKind.ICMP_ERROR)
_ORDER = ("kind", "slot", "side", "length", "ts_ns", "aux", "source", "offset")
_NOTHING = memoryview(b"")


class ActionWalk:
    """Goes through the actions of a call in order and stops at those that somebody must see.

    A slot may be freed and taken again within one call of the table, so keys are kept by slot as the walk goes on,
    and `key` answers for the flow the slot stands for at that point. Handed out are: payload of flows not ignored,
    gaps and ends of flows that are read, anomalies, and with `everything` also openings, handshakes and all ends. Not
    handed out are segments that lie within what `rest` named.
    The attributes say of the action where the walk stands what ACTION_DTYPE says.
    """

    def __init__(self, *, everything: bool = False) -> None:
        self.kind = self.slot = self.side = self.length = self.ts_ns = self.aux = 0
        self._source = self._offset = 0
        self._everything = everything
        self._actions: Iterator[tuple[int, ...]] = iter(())
        self._fresh: NDArray[np.void] = np.zeros(0, KEY_DTYPE)
        self._places = (_NOTHING, _NOTHING)
        self._keys: dict[int, NDArray[np.void]] = {}
        self._interest: dict[int, int] = {}
        self._idle: dict[tuple[int, int], int] = {}  # by slot and side

    def begin(self, actions: NDArray[np.void], keys: NDArray[np.void], chunk: memoryview, arena: memoryview) -> None:
        """Start with the actions of another call; their payload lies in `chunk` and `arena`."""
        self._actions = zip(*(actions[name].tolist() for name in _ORDER), strict=True)
        self._fresh = keys
        self._places = (chunk, arena)

    def step(self) -> bool:
        """Go on to the next action that must be handed out; False when there is none."""
        for action in self._actions:
            if self._wants(action[0], action[1], action[2], action[3], action[5]):
                (
                    self.kind, self.slot, self.side, self.length, self.ts_ns, self.aux, self._source, self._offset,
                ) = action  # fmt: skip
                return True
        return False

    def data(self) -> bytes:
        """The payload of the action."""
        return bytes(self._places[self._source][self._offset : self._offset + self.length])

    def _wants(self, kind: int, slot: int, side: int, length: int, aux: int) -> bool:
        """Keep the books, and say whether the action must be handed out."""
        if kind == ActionKind.OPENED:
            self._keys[slot] = self._fresh[aux : aux + 1].copy()
            self._interest[slot] = self._idle[slot, 0] = self._idle[slot, 1] = 0
        if kind == ActionKind.ANOMALY:
            return True
        if kind in _PAYLOAD:
            return self._interest[slot] != IGNORED and not (
                kind == ActionKind.SEGMENT and self._rests(slot, side, length)
            )
        if self._everything and kind in (ActionKind.OPENED, ActionKind.ESTABLISHED, ActionKind.CLOSED):
            return True
        return self._interest[slot] == READ and kind != ActionKind.ESTABLISHED

    def _rests(self, slot: int, side: int, length: int) -> bool:
        """Whether a segment lies within what nobody must see; it is then taken off that."""
        rests = 0 < self._idle[slot, side] >= length
        self._idle[slot, side] -= length * rests
        return rests

    def read(self, slot: int) -> None:
        """Somebody reads the flow at `slot`: hand out all its actions until it closes."""
        self._interest[slot] = READ

    def ignore(self, slot: int) -> None:
        """Nobody reads the flow at `slot`: hand out none of its payload."""
        self._interest[slot] = IGNORED

    def is_ignored(self, slot: int) -> bool:
        """Whether nobody reads the flow at `slot` any more."""
        return self._interest[slot] == IGNORED

    def rest(self, slot: int, side: int, idle_bytes: int) -> None:
        """Of the next payload of `side` nobody must see so many bytes."""
        self._idle[slot, side] = idle_bytes

    def wake(self, slot: int, side: int) -> int:
        """See all payload of `side` again; return how many of the idle bytes did not come."""
        left, self._idle[slot, side] = self._idle[slot, side], 0
        return left

    def key(self, slot: int) -> FlowKey:
        """The key of the flow at `slot`."""
        return flow_keys(self._keys[slot])[0]

    def fields(self, slot: int) -> tuple[int, str, Transport, str, int, str, int]:
        """The fields of that key, in their order: every event about one flow repeats them."""
        key = self.key(slot)
        return (
            key.flow_id,
            key.community_id,
            key.transport,
            key.client_ip,
            key.client_port,
            key.server_ip,
            key.server_port,
        )

    def flow_id(self, slot: int) -> int:
        """The id of the flow at `slot`."""
        return int(self._keys[slot]["flow_id"][0])

    def server_port(self, slot: int) -> int:
        """The server port of the flow at `slot`."""
        return int(self._keys[slot]["server_port"][0])

    def client_port(self, slot: int) -> int:
        """The client port of the flow at `slot`."""
        return int(self._keys[slot]["client_port"][0])
