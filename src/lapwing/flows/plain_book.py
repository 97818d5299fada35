"""Which flow a slot stands for, while actions are taken one by one."""

import numpy as np
from numpy.typing import NDArray

from lapwing.events import FlowKey
from lapwing.flows.layout import KEY_DTYPE
from lapwing.flows.objects import flow_keys


class KeyBook:
    """Remembers keys by slot.

    A slot may be freed and taken again within one call of the table, so the book is moved on action by action: `take`
    the keys of the call, then `open` at every OPENED. A key becomes an object only when it is asked for.
    """

    def __init__(self) -> None:
        self._rows = np.zeros(0, KEY_DTYPE)
        self._fresh: NDArray[np.void] = self._rows

    def take(self, keys: NDArray[np.void]) -> None:
        """Go on with the key rows of another call."""
        self._fresh = keys

    def open(self, slot: int, row: int) -> None:
        """From here on `slot` stands for the flow of key row `row`."""
        if slot >= len(self._rows):
            grown = np.zeros(max(slot + 1, 2 * len(self._rows)), KEY_DTYPE)
            grown[: len(self._rows)] = self._rows
            self._rows = grown
        self._rows[slot] = self._fresh[row]

    def key(self, slot: int) -> FlowKey:
        """The key of the flow at `slot`."""
        return flow_keys(self._rows[slot : slot + 1])[0]

    def fresh_key(self, row: int) -> FlowKey:
        """The key in row `row` of the current call."""
        return flow_keys(self._fresh[row : row + 1])[0]

    def flow_id(self, slot: int) -> int:
        """The id of the flow at `slot`."""
        return int(self._rows[slot]["flow_id"])

    def server_port(self, slot: int) -> int:
        """The server port of the flow at `slot`."""
        return int(self._rows[slot]["server_port"])
