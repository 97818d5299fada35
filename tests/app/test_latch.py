"""The latch of a guard: one thread at a time, and nobody waits for ever."""

import sys
import sysconfig
from collections.abc import Iterator
from threading import Thread

import pytest

from lapwing.app import latch as latch_module
from lapwing.app.latch import Latch, threads_take_turns

THREADS = 6
TURNS = 2_000


def compiled() -> bool:
    return not str(latch_module.__file__).endswith(".py")


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as the interpreter allows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(params=["taking turns", "at once by build", "at once by now"])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How threads run, as far as the interpreter says."""
    if request.param == "at once by build":
        monkeypatch.setattr(sysconfig, "get_config_var", lambda name: 1 if name == "Py_GIL_DISABLED" else None)
    elif request.param == "at once by now":
        monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    return str(request.param)


def test_a_flag_is_not_trusted_where_threads_run_at_once(threads: str) -> None:
    latch = Latch()
    assert latch.is_lock == (threads != "taking turns" or not compiled())
    with latch:
        entered = Thread(target=latch.__enter__, daemon=True)
        entered.start()
        entered.join(0.05)
        assert entered.is_alive()
    entered.join(timeout=60)
    assert not entered.is_alive()
    latch.__exit__(None, None, None)


def test_the_interpreter_of_now_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    build_has_lock = not sysconfig.get_config_var("Py_GIL_DISABLED")
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: True, raising=False)
    assert threads_take_turns() == build_has_lock
    monkeypatch.delattr(sys, "_is_gil_enabled")
    assert threads_take_turns() == build_has_lock
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    assert not threads_take_turns()


@pytest.mark.usefixtures("hasty", "threads")
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
