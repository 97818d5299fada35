"""One clock for everything that listens: it shows the time of day and runs evenly between looks at it.

Deadlines are measured on it, so a step of the system's clock ends no connection early and keeps none for ever. Such a
step is noticed at the next `check` and reported.
"""

import time

NS_PER_S = 1_000_000_000
STEP_NS = 5 * NS_PER_S  # a difference that is a step; smaller ones are drift and followed silently


class Clock:
    """Nanoseconds UTC."""

    def __init__(self) -> None:
        self._base_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """The time of day as last checked, plus what has passed since."""
        return self._base_ns + time.monotonic_ns()

    def check(self) -> int:
        """Follow the system's clock; returns by how much it stepped, 0 when it ran evenly."""
        base_ns = time.time_ns() - time.monotonic_ns()
        step_ns = base_ns - self._base_ns
        self._base_ns = base_ns
        return step_ns if abs(step_ns) >= STEP_NS else 0
