"""The terminal: consoles that respect NO_COLOR, and the live line while a capture is being read."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from lapwing.app.units import say_bytes
from lapwing.app.words import safe

PIPED_WIDTH = 100  # columns when the output is no terminal
REDRAWS_PER_SECOND = 8
Item = TypeVar("Item")


class _Stdout(Console):
    """A console of which a reader that goes away is told as of every other output."""

    def on_broken_pipe(self) -> None:
        """Rich would end the program here, with the exit code of findings."""
        raise  # the BrokenPipeError in hand


def stdout_console(piped_width: int = PIPED_WIDTH) -> Console:
    """Where tables go. Plain text of a fixed width when standard output is no terminal."""
    return _Stdout(file=sys.stdout, width=None if sys.stdout.isatty() else piped_width, highlight=False, markup=False)


def stderr_console() -> Console:
    """Where the live line goes."""
    return Console(file=sys.stderr, highlight=False, markup=False)


class _Rate(ProgressColumn):
    """Bytes of capture per second."""

    def render(self, task: Task) -> Text:
        """Empty until something was read."""
        return Text(f"{say_bytes(int(task.speed))}/s" if task.speed else "", style="dim")


class _Bars:
    """Lines that show how far something is, gone when it ends. Silent when standard error is no terminal."""

    def __init__(self, *columns: ProgressColumn) -> None:
        console = stderr_console()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            *columns,
            console=console,
            transient=True,
            disable=not console.is_terminal,
            refresh_per_second=REDRAWS_PER_SECOND,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class Live(_Bars):
    """Progress bar with rate, time left and what was found so far."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.percentage:>3.0f} %", markup=False),
            _Rate(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[found]}", markup=False),
        )
        self._task: TaskID | None = None
        self._source = ""

    @property
    def silent(self) -> bool:
        """Whether there is nobody to look."""
        return self._progress.disable

    def update(self, source: str, read_bytes: int, total_bytes: int | None, found: str) -> None:
        """Show how far the reading of `source` is, and in a few words what it has found."""
        if self._task is None or source != self._source:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._source = source
            self._task = self._progress.add_task(safe(source), total=total_bytes, found="")
        self._progress.update(self._task, completed=read_bytes, found=found)


class Stages(_Bars):
    """How far long work of several stages is."""

    def __init__(self) -> None:
        super().__init__(MofNCompleteColumn(), TimeElapsedColumn())

    def over(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
        """The items, one after the other, with a line that says how many are done."""
        every = list(items)
        task = self._progress.add_task(stage, total=len(every))
        for item in every:
            yield item
            self._progress.advance(task)
        self._progress.remove_task(task)

    @contextmanager
    def during(self, stage: str) -> Iterator[None]:
        """A line while work goes on of which nobody knows how far it is."""
        for _ in self.over(stage, [None]):
            yield
