"""One thread at a time, for what takes a few microseconds: entering costs a few instructions where nobody is inside.

Runs compiled, typed by `latch.pxd`, and as it stands. Compiled code gives the interpreter away nowhere between two of
its lines, so a flag is enough there to keep others out; in plain Python a switch of threads may come between any two,
so there it is a lock as any other.
"""

import threading


class Latch:
    """Held by one thread at a time; not to be entered twice by the same one."""

    def __init__(self) -> None:
        self._busy = False
        self._waiting = 0
        self._lock = threading.Lock()  # compiled: free only as a call for one of those who wait
        if not _PLAIN:
            self._lock.acquire()

    def enter(self) -> int:
        """Wait until nobody is inside, and be inside."""
        if _PLAIN:
            self._lock.acquire()
            return 0
        while self._busy:
            self._wait()
        self._busy = True
        return 0

    def leave(self) -> int:
        """Let the next one in."""
        if _PLAIN:
            self._lock.release()
            return 0
        self._busy = False
        if self._waiting != 0 and self._lock.locked():
            self._lock.release()
        return 0

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, *_: object) -> None:
        self.leave()

    def _wait(self) -> int:
        # Who is called may find that another one was faster, and waits again: nobody who leaves forgets to call.
        self._waiting += 1
        try:
            self._lock.acquire()
        finally:
            self._waiting -= 1
        return 0


_PLAIN = hasattr(Latch.__init__, "__code__")  # compiled functions have none
