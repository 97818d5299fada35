"""Files that are written as a whole."""

import errno
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lapwing.events import StoreError
from lapwing.io.enforce import DenyFile
from lapwing.io.files import ANYBODY, append_to, replace, write_new, write_whole
from lapwing.io.logs import PositionFile


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file that somebody would like to have overwritten."""
    file = tmp_path / "precious"
    file.write_bytes(b"precious")
    return file


@contextmanager
def no_file_larger_than(size_bytes: int) -> Iterator[None]:
    """A disk that is full after so much."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_a_file_is_its_owners_alone_whatever_stood_there_before(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"old")
    file.chmod(0o644)
    write_new(file, b"new")
    assert (file.read_bytes(), mode(file)) == (b"new", 0o600)


def test_a_new_file_is_not_written_through_a_link(tmp_path: Path, precious: Path) -> None:
    link = tmp_path / "key"
    link.symlink_to(precious)
    write_new(link, b"secret")
    assert (precious.read_bytes(), link.read_bytes(), link.is_symlink()) == (b"precious", b"secret", False)


def test_a_replaced_file_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "list"
    for data in (b"first", b"second"):
        replace(file, data, ANYBODY, durable=False)
        assert file.read_bytes() == data
    assert list(tmp_path.iterdir()) == [file]
    assert mode(file) != 0o600


@pytest.mark.parametrize("durable", [True, False])
def test_a_link_laid_beside_a_file_is_not_written_through(tmp_path: Path, precious: Path, durable: bool) -> None:
    (tmp_path / ".list.lapwing").symlink_to(precious)
    replace(tmp_path / "list", b"new", durable=durable)
    assert (precious.read_bytes(), (tmp_path / "list").read_bytes()) == (b"precious", b"new")


def test_lists_and_positions_follow_no_link_laid_beside_them(tmp_path: Path, precious: Path) -> None:
    for name in ("denied", "positions"):
        (tmp_path / f".{name}.lapwing").symlink_to(precious)
    DenyFile(tmp_path / "denied").write(["192.0.2.1"])
    PositionFile(tmp_path / "positions").save()
    assert precious.read_bytes() == b"precious"
    assert (tmp_path / "denied").read_text() == "192.0.2.1\n"


def test_what_grows_is_made_for_its_owner_alone_and_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "hits"
    for line in (b"one\n", b"two\n"):
        with append_to(file) as stream:
            stream.write(line)
    assert (file.read_bytes(), mode(file)) == (b"one\ntwo\n", 0o600)


def test_a_whole_file_that_does_not_fit_leaves_what_was_there_and_is_named(tmp_path: Path) -> None:
    kept, new = tmp_path / "kept", tmp_path / "new"
    kept.write_bytes(b"as it was")
    for file in (kept, new):
        with no_file_larger_than(100), pytest.raises(OSError, match="File too large") as raised:
            write_whole(file, bytes(10_000))
        assert (raised.value.errno, raised.value.filename) == (errno.EFBIG, str(file))
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"as it was"]


def test_a_whole_file_keeps_the_mode_and_the_link_of_what_it_replaces(tmp_path: Path, precious: Path) -> None:
    precious.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(precious)
    write_whole(link, b"new")
    assert (link.is_symlink(), precious.read_bytes(), mode(precious)) == (True, b"new", 0o640)


def test_a_whole_file_takes_nobodys_place_unless_it_may(precious: Path) -> None:
    with pytest.raises(FileExistsError) as raised:
        write_whole(precious, b"new", overwrite=False)
    assert (raised.value.filename, precious.read_bytes()) == (str(precious), b"precious")


def test_a_whole_file_that_is_new_is_not_written_through_a_link_laid_there_before(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "link", b"new", overwrite=False)
    assert not (tmp_path / "elsewhere").exists()


def test_a_whole_file_takes_no_other_ones_place(tmp_path: Path) -> None:
    for name in ("list", "list.new", "list.tmp"):
        (tmp_path / name).write_bytes(b"another")
    write_whole(tmp_path / "list", b"new")
    assert [(tmp_path / name).read_bytes() for name in ("list", "list.new", "list.tmp")] == [
        b"new",
        b"another",
        b"another",
    ]


def test_a_whole_file_may_be_a_device() -> None:
    write_whole(Path("/dev/null"), b"gone")
    assert Path("/dev/null").is_char_device()


def test_a_device_or_a_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "stdout"
    os.mkfifo(pipe)
    link.symlink_to("/dev/null")
    for path in (pipe, link):
        with pytest.raises(StoreError, match="cannot be written: is no file that can be replaced"):
            DenyFile(path).write(["192.0.2.1"])
    assert (pipe.is_fifo(), link.is_symlink()) == (True, True)
    assert sorted(tmp_path.iterdir()) == [pipe, link]
