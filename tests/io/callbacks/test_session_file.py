"""Sessions that outlive their process: nothing the collector delivered is forgotten, nobody else may read them."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from lapwing.callbacks import Disabled, Inconclusive, NotObserved, Observed, Outcome
from lapwing.callbacks.interactsh import FetchFailure
from lapwing.events import SettingsError
from lapwing.io.callbacks import Planted
from lapwing.io.callbacks.session_file import SessionFile
from tests.io.callbacks.conftest import MakeSession
from tests.io.callbacks.desk import DeskCollector, run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "session"


async def planted_once(make: MakeSession, file: Path) -> Planted:
    async with make(session_file=file) as session:
        return session.mint("kept for later")


async def wait_again(make: MakeSession, file: Path, planted: Planted, timeout_s: float = 5) -> Outcome:
    async with make(session_file=file) as session:
        found = session.find(planted.url)
        assert found == planted
        return await session.wait_for(found, timeout=timeout_s)


def test_a_later_run_hears_of_tokens_of_an_earlier_one(make: MakeSession, collector: DeskCollector, file: Path) -> None:
    async def main() -> Outcome:
        planted = await planted_once(make, file)
        collector.desk.hit(planted)
        return await wait_again(make, file, planted)

    assert isinstance(run(main()), Observed)
    assert "/deregister" not in collector.desk.calls


def test_what_an_earlier_run_fetched_is_still_known(make: MakeSession, collector: DeskCollector, file: Path) -> None:
    async def main() -> Outcome:
        async with make(session_file=file) as session:
            planted, other = session.mint(), session.mint()
            collector.desk.hit(planted)
            await session.wait_for(other, timeout=5)
        return await wait_again(make, file, planted, 0)

    assert isinstance(run(main()), Observed)


def test_a_poll_on_its_way_at_the_end_is_still_written_down(
    make: MakeSession, collector: DeskCollector, file: Path
) -> None:
    async def main() -> Outcome:
        async with make(session_file=file) as session:
            planted = session.mint()
            collector.desk.hit(planted)
            waiting = asyncio.ensure_future(session.wait_for(planted))
            await asyncio.sleep(0.005)
        assert isinstance(await waiting, Disabled)
        return await wait_again(make, file, planted)

    assert isinstance(run(main()), Observed)


def test_absence_over_two_runs_is_proved_when_nothing_was_lost(
    make: MakeSession, collector: DeskCollector, file: Path
) -> None:
    async def main() -> Outcome:
        return await wait_again(make, file, await planted_once(make, file))

    assert isinstance(run(main()), NotObserved)


def test_a_run_that_was_killed_leaves_doubt(make: MakeSession, collector: DeskCollector, file: Path) -> None:
    async def main() -> Outcome:
        planted = await planted_once(make, file)
        lines = file.read_bytes().splitlines(keepends=True)
        file.write_bytes(b"".join(lines[:-1]) + b'{"type":"see')  # killed before it closed, within a line
        return await wait_again(make, file, planted)

    assert isinstance(run(main()), Inconclusive)


def test_what_an_earlier_run_may_have_lost_leaves_doubt(
    make: MakeSession, collector: DeskCollector, file: Path
) -> None:
    async def main() -> Outcome:
        async with make(session_file=file) as session:
            planted = session.mint()
            collector.failures.append(FetchFailure.BODY)
            await session.wait_for(session.mint(), timeout=1)
        return await wait_again(make, file, planted)

    assert isinstance(run(main()), Inconclusive)


def test_a_collector_that_forgot_the_session_leaves_doubt(
    make: MakeSession, collector: DeskCollector, file: Path
) -> None:
    async def main() -> Outcome:
        planted = await planted_once(make, file)
        collector.desk.boxes.clear()
        return await wait_again(make, file, planted)

    assert isinstance(run(main()), Inconclusive)


def test_no_token_is_minted_twice(make: MakeSession, collector: DeskCollector, file: Path) -> None:
    async def main() -> set[str]:
        return {(await planted_once(make, file)).host for _ in range(3)}

    assert len(run(main())) == 3


def test_only_the_owner_may_read_the_file(make: MakeSession, collector: DeskCollector, file: Path) -> None:
    before = os.umask(0)
    try:
        run(planted_once(make, file))
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o640)
    with pytest.raises(SettingsError, match="others may read it"):
        run(planted_once(make, file))


def test_two_processes_cannot_use_one_session(make: MakeSession, collector: DeskCollector, file: Path) -> None:
    held = SessionFile(file)
    try:
        with pytest.raises(SettingsError, match="another process"):
            run(planted_once(make, file))
    finally:
        held.close([], 0)


@pytest.mark.parametrize("text", [b"server: x\n", b'{"type":"began","at_ns":1}\n', b"\xff\n"])
def test_a_file_that_is_none_is_refused(make: MakeSession, collector: DeskCollector, file: Path, text: bytes) -> None:
    file.write_bytes(text)
    file.chmod(0o600)
    with pytest.raises(SettingsError, match="session file"):
        run(planted_once(make, file))


def test_a_session_belongs_to_its_collector(collector: DeskCollector, make: MakeSession, file: Path) -> None:
    run(planted_once(make, file))
    text = file.read_text().replace("oast.example.com", "other.example.com")
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"belongs to https://other\.example\.com"):
        run(planted_once(make, file))


def test_a_link_in_place_of_the_file_is_not_followed(
    make: MakeSession, collector: DeskCollector, file: Path, tmp_path: Path
) -> None:
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="session file"):
        run(planted_once(make, file))


def test_a_collector_that_was_never_reached_leaves_an_empty_file(
    make: MakeSession, collector: DeskCollector, file: Path
) -> None:
    collector.outage = True
    run(planted_once(make, file))
    assert file.read_bytes() == b""
    collector.outage = False
    run(planted_once(make, file))
    assert file.read_bytes().count(b"minted") == 1
