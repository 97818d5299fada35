"""Files that are written as a whole."""

import stat
from pathlib import Path

import pytest

from lapwing.io.enforce import DenyFile
from lapwing.io.files import ANYBODY, append_to, replace, write_new
from lapwing.io.logs import PositionFile


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file that somebody would like to have overwritten."""
    file = tmp_path / "precious"
    file.write_bytes(b"precious")
    return file


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
    (tmp_path / "list.new").symlink_to(precious)
    replace(tmp_path / "list", b"new", durable=durable)
    assert (precious.read_bytes(), (tmp_path / "list").read_bytes()) == (b"precious", b"new")


def test_lists_and_positions_follow_no_link_laid_beside_them(tmp_path: Path, precious: Path) -> None:
    for name in ("denied", "positions"):
        (tmp_path / f"{name}.new").symlink_to(precious)
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
