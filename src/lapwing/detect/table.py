"""A bounded table whose rows an attacker cannot have forgotten by flooding it.

Rows are `cold` (nothing known for or against them), `held` (suspicion or trust was earned) or pinned (an open finding
stands on them). A full table forgets the cold row touched longest ago; only without any, the held one touched longest
ago; a pinned row never. A flood of one-time keys therefore only pushes out other one-time keys.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec


class Row(msgspec.Struct, gc=False):
    """What every row has. `at_ns` is when its counts were last brought up to date."""

    at_ns: int = 0
    pinned: bool = False


R = TypeVar("R", bound=Row)


class Table(Generic[R]):
    """Rows by `bytes` key, at most `limit`. Keys are bytes, as equal-hash integers could be chosen from outside."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.evicted_count = 0
        self.refused_count = 0
        self._cold: OrderedDict[bytes, R] = OrderedDict()
        self._held: OrderedDict[bytes, R] = OrderedDict()

    def __len__(self) -> int:
        return len(self._cold) + len(self._held)

    def __contains__(self, key: bytes) -> bool:
        return key in self._held or key in self._cold

    def peek(self, key: bytes) -> R | None:
        """The row of `key`, untouched, or None."""
        row = self._held.get(key)
        return row if row is not None else self._cold.get(key)

    def touch(self, key: bytes) -> R | None:
        """The row of `key`, now the one touched last, or None."""
        row = self._held.get(key)
        if row is not None:
            self._held.move_to_end(key)
            return row
        row = self._cold.get(key)
        if row is not None:
            self._cold.move_to_end(key)
        return row

    def insert(self, key: bytes, row: R) -> bool:
        """Add a cold row, evicting one if full. False if all rows are pinned: then nothing is added, only counted."""
        if len(self._cold) + len(self._held) >= self.limit and not self._evict():
            self.refused_count += 1
            return False
        self._cold[key] = row
        return True

    def hold(self, key: bytes) -> None:
        """Suspicion or trust was earned: keep the row longer than cold ones."""
        row = self._cold.pop(key, None)
        if row is not None:
            self._held[key] = row

    def holds(self, key: bytes) -> bool:
        """Whether `hold` was asked for the row of `key`."""
        return key in self._held

    def forget_before(self, horizon_ns: int) -> None:
        """Drop rows not brought up to date since `horizon_ns`, except pinned ones."""
        for rows in (self._cold, self._held):
            for _ in range(len(rows)):
                key, row = next(iter(rows.items()))
                if row.pinned:
                    rows.move_to_end(key)
                elif row.at_ns < horizon_ns:
                    del rows[key]
                else:
                    break

    def items(self) -> Iterator[tuple[bytes, R]]:
        """All rows, cold ones first, each part in the order it would be forgotten."""
        yield from self._cold.items()
        yield from self._held.items()

    def dump(self) -> tuple[list[tuple[bytes, R]], list[tuple[bytes, R]], int, int]:
        """All there is, for a snapshot."""
        return list(self._cold.items()), list(self._held.items()), self.evicted_count, self.refused_count

    def load(self, cold: list[tuple[bytes, R]], held: list[tuple[bytes, R]], evicted: int, refused: int) -> None:
        """Become what `dump` gave; the limit stays this table's, so the oldest cold rows may go."""
        self._cold, self._held = OrderedDict(cold), OrderedDict(held)
        self.evicted_count, self.refused_count = evicted, refused
        while len(self) > self.limit and self._evict():
            pass

    def _evict(self) -> bool:
        for rows in (self._cold, self._held):
            for _ in range(len(rows)):
                key, row = next(iter(rows.items()))
                if not row.pinned:
                    del rows[key]
                    self.evicted_count += 1
                    return True
                rows.move_to_end(key)  # few rows are pinned, so this ends soon
        return False
