"""The walk through a call's actions: which of them anybody must see, and which flow a slot stands for meanwhile."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lapwing.events import FlowKey
from lapwing.flows.layout import ACTION_DTYPE, KEY_DTYPE, ActionKind
from lapwing.flows.objects import flow_keys

READ, IGNORED = 1, 2  # interest in a flow; 0 when nothing of it was seen yet

_PAYLOAD = (ActionKind.SEGMENT, ActionKind.DATAGRAM)
_ORDER = ("kind", "slot", "side", "source", "offset", "length", "ts_ns", "aux")

Step = tuple[int, int, int, int, int, int, int, int]


class ActionWalk:
    """Goes through the actions of a call in order and hands out those that somebody must see.

    A slot may be freed and taken again within one call of the table, so keys are kept by slot as the walk goes on,
    and `key` answers for the flow the slot stands for at that point. Handed out are: payload of flows not ignored,
    gaps and ends of flows that are read, anomalies, and with `everything` also openings, handshakes and all ends.
    """

    def __init__(self) -> None:
        self._actions: NDArray[np.void] = np.zeros(0, ACTION_DTYPE)
        self._fresh: NDArray[np.void] = np.zeros(0, KEY_DTYPE)
        self._everything = False
        self._keys: dict[int, NDArray[np.void]] = {}
        self._interest: dict[int, int] = {}

    def begin(self, actions: NDArray[np.void], keys: NDArray[np.void], *, everything: bool) -> None:
        """Start with the actions of another call."""
        self._actions = actions
        self._fresh = keys
        self._everything = everything

    def __iter__(self) -> Iterator[Step]:
        """Steps: kind, slot, side, source, offset, length, ts_ns, aux; as in ACTION_DTYPE."""
        for step in zip(*(self._actions[name].tolist() for name in _ORDER), strict=True):
            if self._wants(step[0], step[1], step[7]):
                yield step

    def _wants(self, kind: int, slot: int, aux: int) -> bool:
        """Keep the books, and say whether the action must be handed out."""
        if kind == ActionKind.OPENED:
            self._keys[slot] = self._fresh[aux : aux + 1].copy()
            self._interest[slot] = 0
        if kind == ActionKind.ANOMALY:
            return True
        if kind in _PAYLOAD:
            return self._interest[slot] != IGNORED
        if self._everything and kind in (ActionKind.OPENED, ActionKind.ESTABLISHED, ActionKind.CLOSED):
            return True
        return self._interest[slot] == READ and kind != ActionKind.ESTABLISHED

    def read(self, slot: int) -> None:
        """Somebody reads the flow at `slot`: hand out all its actions until it closes."""
        self._interest[slot] = READ

    def ignore(self, slot: int) -> None:
        """Nobody reads the flow at `slot`: hand out none of its payload."""
        self._interest[slot] = IGNORED

    def key(self, slot: int) -> FlowKey:
        """The key of the flow at `slot`."""
        return flow_keys(self._keys[slot])[0]

    def flow_id(self, slot: int) -> int:
        """The id of the flow at `slot`."""
        return int(self._keys[slot]["flow_id"][0])

    def server_port(self, slot: int) -> int:
        """The server port of the flow at `slot`."""
        return int(self._keys[slot]["server_port"][0])
