"""One thread at a time, for what takes a few microseconds: entering costs a few instructions where nobody is inside.

Runs compiled, typed by `latch.pxd`, and as it stands. Compiled code gives the interpreter away nowhere between two of
its lines, so a flag is enough there to keep others out; in plain Python a switch of threads may come between any two,
so there it is a lock as any other. It is one too where threads do not take turns at all: on a free-threaded build.
Whoever is inside and would wait for itself is told so, as nobody could ever call it.
"""

import sys
import sysconfig
import threading
import threading as native


def threads_take_turns() -> bool:
    """Whether no two threads ever run at once. A free-threaded build is not asked whether they do just now."""
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False
    ask = getattr(sys, "_is_gil_enabled", None)
    return ask is None or ask()


class Latch:
    """Held by one thread at a time. `is_lock`: no flag would do here.

    Raises RuntimeError for a thread that is inside already, as it is where a guard calls what its user gave it.
    """

    def __init__(self) -> None:
        self.is_lock = _PLAIN or not threads_take_turns()
        self._busy = False
        self._inside = 0  # the thread that is; 0 while one comes or goes, so that no other is ever taken for it
        self._waiting = 0
        self._lock = threading.Lock()  # with a flag: free only as a call for one of those who wait
        if not self.is_lock:
            self._lock.acquire()

    def enter(self) -> int:
        """Wait until nobody is inside, and be inside."""
        if self.is_lock:
            if not self._lock.acquire(False):
                self._refuse()
                self._lock.acquire()
        else:
            while self._busy:
                self._wait()
            self._busy = True
        self._inside = native.get_ident()
        return 0

    def leave(self) -> int:
        """Let the next one in."""
        self._inside = 0
        if self.is_lock:
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
        self._refuse()
        self._waiting += 1
        try:
            self._lock.acquire()
        finally:
            self._waiting -= 1
        return 0

    def _refuse(self) -> int:
        """Raise where the one inside is this thread."""
        if self._inside == native.get_ident():
            raise RuntimeError(
                "the guard is busy with the call that this one comes from: on_event, look_up, the clock, an iterator "
                "of events and a signal handler must not call it; let them note what is to be asked, and ask afterwards"
            )
        return 0


_PLAIN = hasattr(Latch.__init__, "__code__")  # compiled functions have none
