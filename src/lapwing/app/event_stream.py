"""What every reading of events is, wherever they come from: read once, in order, as events or as lists of them."""

from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Self

from lapwing.events import Event


class EventStream:
    """A context manager and an iterator; leaving it, or reading it to its end, closes what was opened."""

    def __init__(self, lists: Generator[list[Event], None, None]) -> None:
        """`lists` is what reads, one batch at a time."""
        self._lists = lists
        self._events = (event for events in lists for event in events)
        self._damaged = False
        self._failed: list[str] = []
        self.between: Callable[[], None] = _nothing
        """Called between two batches of what goes on and on, also while nothing comes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def __next__(self) -> Event:
        return next(self._events)

    def lists(self) -> Iterator[list[Event]]:
        """The same events in lists of one batch each, as soon as it was read: less to pay per event, for sinks."""
        return self._lists

    def close(self) -> None:
        """Close what was opened. Events not read by then are gone."""
        self._lists.close()

    @property
    def damaged(self) -> bool:
        """Whether some of the input could not be read."""
        return self._damaged

    @property
    def failed(self) -> list[str]:
        """What was wrong with each input that could not be read at all; the others were read."""
        return self._failed


def _nothing() -> None:
    pass
