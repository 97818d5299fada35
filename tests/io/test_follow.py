"""Logs are followed through rotation, and from where an earlier run stopped."""

import os
from pathlib import Path

import pytest

from lapwing.events import SourceError, StoreError
from lapwing.io.logs import FollowedLog, PositionFile
from lapwing.io.logs import follow as follow_module

MAX = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_text("old\n")
    return path


def drain(log: FollowedLog) -> list[str]:
    lines: list[str] = []
    while (batch := log.poll()) is not None:
        lines += batch.lines
    return lines


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_a_log_is_followed_from_its_end(path: Path) -> None:
    log = FollowedLog(str(path), MAX)
    assert drain(log) == []
    append(path, "new\nhal")
    assert drain(log) == ["new"]
    append(path, "f\n")
    assert drain(log) == ["half"]
    log.close()


def test_a_log_is_read_from_its_start_when_asked(path: Path) -> None:
    log = FollowedLog(str(path), MAX, from_start=True)
    assert drain(log) == ["old"]
    log.close()


def test_an_unfinished_line_is_not_read_from_its_middle(path: Path) -> None:
    append(path, "login failed for x ")
    log = FollowedLog(str(path), MAX)
    append(path, "from 192.0.2.1\nnext\n")
    assert drain(log) == ["next"]
    log.close()


def test_a_file_may_come_later(tmp_path: Path) -> None:
    log = FollowedLog(str(tmp_path / "later.log"), MAX)
    assert drain(log) == []
    (tmp_path / "later.log").write_text("first\n")
    assert drain(log) == ["first"]
    log.close()


def test_rotation_by_renaming_loses_nothing(path: Path) -> None:
    log = FollowedLog(str(path), MAX)
    append(path, "one\n")
    path.rename(path.with_suffix(".log.1"))
    append(path.with_suffix(".log.1"), "two\n")  # the daemon has not reopened yet
    assert drain(log) == ["one", "two"]
    path.write_text("three\n")
    append(path.with_suffix(".log.1"), "two and a half\n")
    assert sorted(drain(log)) == ["three", "two and a half"]
    append(path.with_suffix(".log.1"), "late\n")  # a worker that finishes its connections
    append(path, "four\n")
    assert sorted(drain(log)) == ["four", "late"]
    assert log.rotations == 1
    log.close()


def test_a_renamed_file_that_stays_silent_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("lapwing.io.logs.follow.time.monotonic", lambda: now[0])
    log = FollowedLog(str(path), MAX)
    append(path, "unfinished")
    drain(log)
    path.rename(path.with_suffix(".log.1"))
    path.write_text("new\n")
    assert drain(log) == ["new"]
    now[0] += follow_module.LINGER_S + 1
    assert drain(log) == ["unfinished"]
    assert log._lingering == []
    log.close()


def test_rotation_by_copying_and_truncating_is_noticed(path: Path) -> None:
    log = FollowedLog(str(path), MAX)
    append(path, "one\n")
    assert drain(log) == ["one"]
    os.truncate(path, 0)
    append(path, "two\n")
    assert drain(log) == ["two"]
    assert log.truncations == 1
    log.close()


def test_a_truncated_file_that_grew_past_the_old_place_is_noticed(path: Path) -> None:
    log = FollowedLog(str(path), MAX)
    os.truncate(path, 0)
    append(path, "a first line longer than what was there\nsecond\n")
    assert drain(log) == ["a first line longer than what was there", "second"]
    assert log.truncations == 1
    log.close()


def test_two_who_share_a_file_of_positions_leave_each_other_theirs(tmp_path: Path) -> None:
    place = FollowedLog(str(tmp_path / "x"), MAX)
    append(tmp_path / "x", "one\n")
    drain(place)
    first, second = PositionFile(tmp_path / "positions"), PositionFile(tmp_path / "positions")
    first.put("a.log", place.position)
    second.put("b.log", place.position)
    assert first.save()
    assert second.save()
    assert second.save() is None
    assert PositionFile(tmp_path / "positions").get("a.log") == place.position
    assert PositionFile(tmp_path / "positions").get("b.log") == place.position
    place.close()


def test_reading_goes_on_where_it_stopped(path: Path) -> None:
    log = FollowedLog(str(path), MAX)
    append(path, "one\nhal")
    assert drain(log) == ["one"]
    position = log.position
    log.close()
    append(path, "f\ntwo\n")
    again = FollowedLog(str(path), MAX, position=position)
    assert drain(again) == ["half", "two"]
    again.close()


def test_reading_goes_on_in_the_renamed_file_and_then_in_the_new_one(path: Path) -> None:
    log = FollowedLog(str(path), MAX)
    position = log.position
    log.close()
    append(path, "one\n")
    path.rename(path.with_suffix(".log.1"))
    path.write_text("two\n")
    again = FollowedLog(str(path), MAX, position=position)
    assert drain(again) == ["one", "two"]
    again.close()


def test_a_new_file_with_the_old_ones_inode_is_read_from_its_start(path: Path) -> None:
    log = FollowedLog(str(path), MAX)
    position = log.position
    log.close()
    assert position is not None
    path.write_text("something else\n")  # the same inode
    again = FollowedLog(str(path), MAX, position=position)
    assert drain(again) == ["something else"]
    again.close()


def test_one_poll_reads_a_bounded_piece(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_module, "READ_BYTES", 10)
    log = FollowedLog(str(path), MAX)
    append(path, "0123456789\n" * 3)
    batch = log.poll()
    assert batch is not None
    assert len(batch.lines) <= 1
    assert log.behind_bytes == 23
    assert drain(log) == ["0123456789"] * 3
    log.close()


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a directory"):
        FollowedLog(str(tmp_path), MAX)


def test_what_is_no_file_is_refused_with_who_reads_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("-", str(tmp_path / "pipe")):
        with pytest.raises(SourceError, match="lapwing read"):
            FollowedLog(name, MAX)


def test_positions_are_kept_by_path(tmp_path: Path, path: Path) -> None:
    log = FollowedLog(str(path), MAX)
    store = PositionFile(tmp_path / "positions")
    store.put(str(path), log.position)
    store.save()
    assert PositionFile(tmp_path / "positions").get(str(path)) == log.position
    assert PositionFile(tmp_path / "positions").get(str(tmp_path / "other")) is None
    log.close()


@pytest.mark.parametrize("text", ["[]", "{", '{"x":' + "[" * 20_000])
def test_a_file_that_holds_no_positions_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "positions").write_text(text)
    with pytest.raises(StoreError, match="no file of positions"):
        PositionFile(tmp_path / "positions")


def test_how_long_a_line_may_be_changes_for_files_that_are_open_and_those_to_come(path: Path) -> None:
    log = FollowedLog(str(path), MAX)
    append(path, "x" * 600 + "\n")
    assert [len(line) for line in drain(log)] == [600]
    log.limit(512)
    append(path, "x" * 600 + "\nshort\n")
    assert drain(log) == ["short"]
    path.rename(path.with_suffix(".log.1"))
    path.write_text("y" * 600 + "\nyes\n")
    assert drain(log) == ["yes"]
    log.limit(MAX)
    append(path.with_suffix(".log.1"), "x" * 600 + "\n")
    append(path, "y" * 600 + "\n")
    assert [len(line) for line in drain(log)] == [600, 600]
    log.close()


def rotate(path: Path, text: str) -> None:
    """Rename it and those rotated before, each a second older than the next, and begin anew."""
    for number in (2, 1, 0):
        file = path.with_name(f"{path.name}.{number}") if number else path
        if file.exists():
            file.rename(path.with_name(f"{path.name}.{number + 1}"))
            os.utime(path.with_name(f"{path.name}.{number + 1}"), (1_000_000 - number, 1_000_000 - number))
    path.write_text(text)


def test_files_rotated_one_after_another_meanwhile_are_all_read_in_order(path: Path) -> None:
    log = FollowedLog(str(path), MAX)
    position = log.position
    log.close()
    append(path, "one\n")
    rotate(path, "two\n")
    rotate(path, "three\n")
    rotate(path, "four\n")
    path.with_name("access.log.4.gz").write_bytes(b"\x1f\x8b")
    again = FollowedLog(str(path), MAX, position=position)
    assert again.behind_bytes == len("one\ntwo\nthree\n")
    assert drain(again) == ["one", "two", "three", "four"]
    assert again.rotations == 3
    again.close()


def test_reading_goes_on_in_the_copy_of_a_log_that_was_truncated_meanwhile(path: Path) -> None:
    path.write_text(f"{'the first line ':<80}\n")
    log = FollowedLog(str(path), MAX)
    position = log.position
    log.close()
    append(path, "one\n")
    path.with_name("access.log.1").write_text(path.read_text())
    path.write_text("two\n")
    again = FollowedLog(str(path), MAX, position=position)
    assert drain(again) == ["one", "two"]
    again.close()
