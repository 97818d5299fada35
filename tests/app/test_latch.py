"""The latch of a guard: one thread at a time, and nobody waits for ever."""

import sys
from collections.abc import Iterator
from threading import Thread

import pytest

from lapwing.app.latch import Latch

THREADS = 6
TURNS = 2_000


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as the interpreter allows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
def test_one_thread_at_a_time_is_inside_and_everybody_comes_in() -> None:
    latch, inside, crowds, count = Latch(), [0], [0], [0]

    def work() -> None:
        for _ in range(TURNS):
            with latch:
                inside[0] += 1
                crowds[0] += inside[0] != 1
                seen = count[0]
                for _ in range(3):  # room for others to come between
                    seen += 0
                count[0] = seen + 1
                inside[0] -= 1

    threads = [Thread(target=work, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert crowds == [0]
    assert count == [THREADS * TURNS]


def test_an_error_inside_lets_the_next_one_in() -> None:
    latch = Latch()
    with pytest.raises(KeyError), latch:
        raise KeyError
    with latch:
        pass
