"""What was wrong with a capture file, and where. Kept in bounds however damaged the file is."""

from collections import Counter
from typing import NamedTuple

MAX_KEPT = 100  # per file and named with offset; further ones are counted by kind, or a hostile file fills memory


class Damage(NamedTuple):
    """One damaged place: `kind` is `capture.<what>`, `offset` counts from the start of the (unpacked) file."""

    kind: str
    offset: int
    detail: str


class DamageLog:
    """Collects damage. `counts` has every kind met; `unlisted` how many of each were not kept one by one."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.unlisted: Counter[str] = Counter()
        self._kept = 0
        self._waiting: list[Damage] = []

    def report(self, kind: str, offset: int, detail: str) -> None:
        """Count one, and keep it while there is room."""
        self.counts[kind] += 1
        if self._kept < MAX_KEPT:
            self._kept += 1
            self._waiting.append(Damage(kind, offset, detail))
        else:
            self.unlisted[kind] += 1

    def take(self) -> list[Damage]:
        """What was kept since the last call, in order."""
        waiting, self._waiting = self._waiting, []
        return waiting
