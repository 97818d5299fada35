"""The fuzz runner finds what it is made to find, and every target survives its own seeds."""

from pathlib import Path

import pytest

from fuzz.__main__ import Target, fuzz, names, target
from fuzz.coverage import Arcs
from lapwing.app.units import duration_ns, say_bytes


def test_there_are_targets_for_reader_and_parsers() -> None:
    assert {"capture", "dns", "ftp", "http", "smtp", "ssh"} <= set(names())


@pytest.mark.parametrize("name", names())
def test_a_target_survives_its_seeds(name: str) -> None:
    chosen = target(name)
    for seed in chosen.seeds:
        chosen.run(seed)


def test_an_input_that_breaks_a_target_is_found_and_kept() -> None:
    def run(data: bytes) -> None:
        if b"\xff" in data:
            raise ValueError("found")

    result = fuzz(Target("fragile", run, [b"seed"]), 60.0, 1)
    assert result.broken is not None
    assert b"\xff" in result.broken[0]
    assert "ValueError: found" in result.broken[1]


def test_new_code_is_told_from_known_code() -> None:
    arcs = Arcs()
    assert arcs.of(lambda: duration_ns("10m")) > 0
    assert arcs.of(lambda: duration_ns("20m")) == 0
    assert arcs.of(lambda: say_bytes(20)) > 0


def test_the_same_seed_tries_the_same_inputs(tmp_path: Path) -> None:
    tried: list[list[bytes]] = []
    for _ in range(2):
        inputs: list[bytes] = []

        def run(data: bytes, inputs: list[bytes] = inputs) -> None:
            inputs.append(data)
            if len(inputs) > 50:
                raise StopAsyncIteration

        fuzz(Target("any", run, [b"GET / HTTP/1.1\r\n"]), 60.0, 7)
        tried.append(inputs)
    assert tried[0] == tried[1]


def test_an_input_that_computes_too_long_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.__main__.SLOW_S", 0.05)
    result = fuzz(Target("slow", lambda data: sum(range(len(data) * 3_000_000)), [b"seed"]), 60.0, 1)
    assert result.broken is not None
    assert "computing" in result.broken[1]


def test_a_slow_first_time_alone_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.__main__.SLOW_S", 0.05)
    first = iter([3_000_000])
    result = fuzz(Target("imports", lambda _: sum(range(next(first, 0) * 4)), [b"seed"]), 0.2, 1)
    assert result.broken is None
