import gzip
from pathlib import Path

import pytest

from lapwing.events import SourceError
from lapwing.io.capture import expand_paths
from lapwing.testing import pcap, pcapng


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "b.pcap").write_bytes(pcap([]))
    (tmp_path / "deep" / "a.odd").write_bytes(pcapng([]))
    (tmp_path / "deep" / "er" / "c.gz").write_bytes(gzip.compress(pcap([])))
    (tmp_path / "deep" / "notes.txt").write_text("no capture")
    (tmp_path / "deep" / "broken.gz").write_bytes(b"\x1f\x8b broken")
    (tmp_path / "empty.pcap").touch()
    return tmp_path


def test_a_directory_gives_the_captures_below_it_by_content(tree: Path) -> None:
    assert expand_paths([tree]) == [str(tree / name) for name in ("b.pcap", "deep/a.odd", "deep/er/c.gz")]


def test_a_glob_gives_what_matches_in_order(tree: Path) -> None:
    assert expand_paths([f"{tree}/*.pcap"]) == [str(tree / "b.pcap"), str(tree / "empty.pcap")]
    assert expand_paths([f"{tree}/de*"]) == [str(tree / "deep/a.odd"), str(tree / "deep/er/c.gz")]


def test_files_are_taken_as_named_and_each_comes_once(tree: Path) -> None:
    named = [str(tree / "missing.pcap"), "-", str(tree / "b.pcap")]
    assert expand_paths([*named, tree / "b.pcap", "-"]) == named


def test_a_file_whose_name_looks_like_a_glob_is_a_file(tree: Path) -> None:
    odd = tree / "odd[1].pcap"
    odd.write_bytes(pcap([]))
    assert expand_paths([odd]) == [str(odd)]


@pytest.mark.parametrize("argument", ["nothing", "*.cap", "no-captures", "no-capt*"])
def test_a_directory_or_glob_without_captures_is_an_error(argument: str, tmp_path: Path) -> None:
    (tmp_path / "no-captures").mkdir()
    (tmp_path / "no-captures" / "notes.txt").write_text("none")
    if argument == "nothing":
        assert expand_paths([tmp_path / argument]) == [str(tmp_path / argument)]
        return
    with pytest.raises(SourceError, match=r"no file matches|no capture"):
        expand_paths([tmp_path / argument])
