"""Reads and decodes in a second thread, a few batches before they are taken.

Reading, decoding and tracking all release the interpreter lock, so the two threads really run side by side. What the
reading thread does under the lock is little per batch, so it also pays where the taker runs Python code.
"""

import os
import stat
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Self

from lapwing.events import AnomalySeen
from lapwing.io.capture.source import CaptureSource, Mark, PacketBatch, Progress

LANES = 6  # batches in flight, the taken one included; about 0.6 MB each. Fewer make the threads wait for each other

WORTH_BYTES = 32 * 1024 * 1024  # of a file: below, a tenth of a second is all that could be gained

_CLOSE_S = 0.2  # how long `close` waits for the thread; a read from an idle pipe may never return


class ReadAhead:
    """The batches of a source opened with `lanes=LANES`; the same methods, and it closes the source.

    Statistics, damage and progress are those of the batch that was taken, not of what is read beyond it.
    """

    def __init__(self, source: CaptureSource) -> None:
        self._source = source
        self._free: SimpleQueue[bool] = SimpleQueue()  # one for each lane that may be filled; False ends the thread
        self._full: SimpleQueue[tuple[PacketBatch | BaseException | None, Mark | None]] = SimpleQueue()
        self._mark = source.mark()
        for _ in range(LANES):
            self._free.put(True)
        self._holding = False
        self._ended = False
        self._thread = Thread(target=self._work, name="lapwing-read-ahead", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def source(self) -> CaptureSource:
        """The source; its own statistics and damage run ahead of what was taken by at most LANES batches."""
        return self._source

    @property
    def damage(self) -> list[AnomalySeen]:
        """See CaptureSource."""
        return self._source.damage_at(self._mark)

    def statistics(self) -> dict[str, int]:
        """See CaptureSource."""
        return self._source.statistics_at(self._mark)

    def progress(self) -> Progress:
        """See CaptureSource."""
        return self._source.progress_at(self._mark)

    def next_batch(self) -> PacketBatch | None:
        """The next packets, None at the end. Valid until the next call. Raises what reading raised."""
        if self._ended:
            return None
        if self._holding:
            self._free.put(True)
        batch, mark = self._full.get()
        self._mark = mark or self._mark
        self._holding = isinstance(batch, PacketBatch)
        self._ended = not self._holding
        if isinstance(batch, BaseException):
            raise batch
        return batch

    def stop(self) -> None:
        """End the input behind what was read so far, also for who waits for it now. Callable from a signal."""
        self._full.put((None, None))

    def close(self) -> None:
        """End the thread and close the source."""
        while True:  # tokens not used yet would let it read on
            try:
                self._free.get_nowait()
            except Empty:
                break
        self._free.put(False)
        self._thread.join(_CLOSE_S)
        if not self._thread.is_alive():
            self._source.close()

    def _work(self) -> None:
        try:
            while self._free.get():
                batch = self._source.next_batch()
                self._full.put((batch, self._source.mark()))
                if batch is None:
                    return
        except BaseException as error:
            self._full.put((error, self._source.mark()))


def processors() -> int:
    """How many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def worth_reading_ahead(path: str) -> bool:
    """Whether `path` is a large file, and there is a second processor to read it; or one whose reader may wait."""
    if may_wait(path):
        return True
    try:
        return Path(path).stat().st_size >= WORTH_BYTES and processors() > 1
    except OSError:
        return False


def may_wait(path: str) -> bool:
    """Whether reading may wait for ever, as at a pipe that is quiet: then only another thread can be stopped."""
    try:
        status = os.fstat(0) if path == "-" else Path(path).stat()
    except OSError:
        return False
    return stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode) or stat.S_ISCHR(status.st_mode)
