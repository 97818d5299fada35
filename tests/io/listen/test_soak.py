"""The soaks of `bench.soak`, at a size that takes seconds: what holds there begins to hold here."""

import shutil
from pathlib import Path

import pytest

from bench import collector, soak
from bench.renewals import renewals
from lapwing.events import CollectorError

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler for the program that asks")
MAX_GROWTH_MIB = 64.0  # over ten times the interactions: what is kept ready, and the store's pages in memory


def test_no_random_name_and_no_near_miss_is_taken_for_a_token() -> None:
    assert soak.names(20_000) == {"names_count": 20_000, "names_wrong": 0}


def test_no_registration_is_lost_that_is_renewed_while_it_ends() -> None:
    assert renewals(100) == {"renewals_count": 100, "renewals_lost": 0}


@needs_compiler
def test_ten_streams_of_a_flooded_mailbox_hear_everything() -> None:
    assert soak.readers(2_000)["readers_lost"] == 0


@needs_compiler
def test_a_tenth_of_the_answers_lost_costs_no_hit_and_repeats_none() -> None:
    figures = soak.answers(1_200)
    assert figures["answers_dropped"] > 0
    assert (figures["answers_lost"], figures["answers_repeated"]) == (0, 0)


@needs_compiler
def test_what_killed_collectors_answered_amid_floods_is_in_the_store() -> None:
    figures = soak.kills(5_000)
    assert figures["kills_answered"] >= 5_000
    assert figures["kills_lost"] == 0


@needs_compiler
def test_memory_does_not_grow_with_the_interactions_taken() -> None:
    figures = soak.memory(30_000, session_count=2_000)
    assert figures["memory_lost"] == 0
    assert figures["memory_last_tenth_mb"] - figures["memory_first_tenth_mb"] < MAX_GROWTH_MIB


def test_a_collector_that_does_not_start_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = pytest.raises(CollectorError, match=r"(?s)exit code 1, on standard error .*cannot be opened")
    with failing, collector.ours(tmp_path / "nowhere"):
        pass
    monkeypatch.setattr(collector, "SERVER", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(CollectorError, match="killed by SIGKILL, on standard error nothing"), collector.ours(tmp_path):
        pass
