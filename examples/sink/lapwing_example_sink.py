"""A sink of one's own: how many events there were of each kind."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lapwing.events import Event


class Counts:
    """`--sink example-counts=counts.txt`."""

    def __init__(self, argument: str) -> None:
        self._path = Path(argument)
        self._counts: Counter[str] = Counter()

    def write(self, events: Sequence[Event]) -> None:
        self._counts.update(str(event.__struct_config__.tag) for event in events)

    def close(self) -> None:
        lines = [f"{count} {tag}\n" for tag, count in sorted(self._counts.items())]
        self._path.write_text("".join(lines), encoding="ascii")
