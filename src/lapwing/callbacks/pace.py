"""How fast a collector is asked: a rate for all requests, and a back-off after failures."""

SECOND_NS = 1_000_000_000
MANY_FAILURES = 50  # in all; from then on requests stand at least a second apart


class RateBucket:
    """Lets `burst` requests through at once and `per_s` on average."""

    def __init__(self, burst: int, per_s: float) -> None:
        self._step_ns = int(SECOND_NS / per_s)
        self._slack_ns = self._step_ns * (burst - 1)
        self._next_ns = 0  # when a steady sender would be due

    def earliest(self, now_ns: int) -> int:
        """When the next request may go out."""
        return max(now_ns, self._next_ns - self._slack_ns)

    def take(self, now_ns: int) -> None:
        """A request goes out."""
        self._next_ns = max(now_ns, self._next_ns) + self._step_ns


def backoff_ns(failures: int, max_s: float) -> int:
    """Return the pause after the n-th failure in a row: 2, 4, 8, 16, 30, 30 seconds."""
    return int(min(float(1 << min(failures, 5)), max_s) * SECOND_NS)
