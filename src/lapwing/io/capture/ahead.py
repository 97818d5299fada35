"""Reads and decodes in a second thread, a few batches before they are taken.

Reading, decoding and tracking all release the interpreter lock, so the two threads really run side by side. It does
not pay where the taker runs Python code for every batch: the second thread would wait for the lock instead.
"""

from queue import Empty, SimpleQueue
from threading import Thread
from typing import Self

from lapwing.io.capture.source import CaptureSource, PacketBatch

LANES = 6  # batches in flight, the taken one included; about 0.6 MB each. Fewer make the threads wait for each other

_CLOSE_S = 0.2  # how long `close` waits for the thread; a read from an idle pipe may never return


class ReadAhead:
    """The batches of a source opened with `lanes=LANES`; the same methods, and it closes the source."""

    def __init__(self, source: CaptureSource) -> None:
        self._source = source
        self._free: SimpleQueue[bool] = SimpleQueue()  # one for each lane that may be filled; False ends the thread
        self._full: SimpleQueue[PacketBatch | BaseException | None] = SimpleQueue()
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
        """The source; its statistics and damage run ahead of what was taken by at most LANES batches."""
        return self._source

    def next_batch(self) -> PacketBatch | None:
        """The next packets, None at the end. Valid until the next call. Raises what reading raised."""
        if self._ended:
            return None
        if self._holding:
            self._free.put(True)
        batch = self._full.get()
        self._holding = isinstance(batch, PacketBatch)
        self._ended = not self._holding
        if isinstance(batch, BaseException):
            raise batch
        return batch

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
                self._full.put(batch)
                if batch is None:
                    return
        except BaseException as error:
            self._full.put(error)
