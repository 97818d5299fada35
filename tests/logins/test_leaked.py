"""Leaked secrets are told offline, wrongly only as seldom as promised, and none can be read back."""

import os
from hashlib import sha1
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.app.commands.leaks import build
from lapwing.app.exit_codes import ExitCode
from lapwing.events import SettingsError, SourceError
from lapwing.io.surroundings import read_leaks
from lapwing.logins import LeakFilter, load_leaks
from lapwing.logins.leaked import hash_of, shape_for


def digest(secret: str) -> bytes:
    return sha1(secret.encode(), usedforsecurity=False).digest()


def ranges(folder: Path, secrets: list[str]) -> Path:
    """Range files as the service gives them: named by five digits, one suffix and count a line."""
    folder.mkdir()
    for secret in secrets:
        text = digest(secret).hex().upper()
        with (folder / text[:5]).open("a") as file:
            file.write(f"{text[5:]}:{len(secret)}\r\n")
    return folder


@given(st.lists(st.text(min_size=1), max_size=40))
def test_what_was_added_is_always_known_also_after_writing_and_reading(secrets: list[str]) -> None:
    leaks = LeakFilter(shape_for(len(secrets), 0.01))
    for secret in secrets:
        leaks.add_hash(sha1(secret.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest())
    again = load_leaks(leaks.dump())
    assert all(leaks.has(secret) and again.has(secret) for secret in secrets)
    assert again.count == len(secrets)


def test_others_are_taken_for_leaked_as_seldom_as_asked() -> None:
    leaks = LeakFilter(shape_for(5_000, 0.01))
    for n in range(5_000):
        leaks.add_hash(digest(f"leaked {n}"))
    wrong = sum(leaks.has(f"other {n}") for n in range(20_000))
    assert 0 < wrong < 400


@pytest.mark.parametrize("damage", [b"", b"LWLEAK1\n", b"no filter at all, but long enough for a head and more"])
def test_what_is_no_filter_is_refused(damage: bytes) -> None:
    with pytest.raises(ValueError, match="filter"):
        load_leaks(damage)


@pytest.mark.parametrize("cut", [1, 30])
def test_a_cut_filter_is_refused(cut: int) -> None:
    data = LeakFilter(shape_for(1_000, 0.01)).dump()
    with pytest.raises(ValueError, match="filter"):
        load_leaks(data[:-cut])


def test_padding_and_noise_are_no_hashes() -> None:
    suffix = digest("x").hex()[5:].encode()
    assert hash_of(suffix + b":3", digest("x").hex()[:5]) == digest("x")
    assert hash_of(suffix + b":0", digest("x").hex()[:5]) is None
    assert hash_of(b"not hexadecimal") is None
    assert hash_of(b"abcd:1") is None


def test_a_filter_is_built_from_range_files_and_holds_no_secret(tmp_path: Path) -> None:
    secrets = ["hunter2", "correct horse", "Passw0rd!"]
    folder, output = ranges(tmp_path / "ranges", secrets), tmp_path / "leaks.filter"
    (folder / "readme.txt").write_text("not a range")
    assert build([folder], output, 0.001) is ExitCode.CLEAN
    leaks = read_leaks(output)
    assert leaks.count == 3
    assert all(map(leaks.has, secrets))
    data = output.read_bytes()
    assert not any(secret.encode() in data or digest(secret)[:6] in data for secret in secrets)


def test_one_file_of_whole_hashes_will_do(tmp_path: Path) -> None:
    file = tmp_path / "pwned.txt"
    file.write_text("".join(f"{digest(f'pw{n}').hex()}:{n}\n" for n in range(1, 50)))
    build([file], tmp_path / "out", 0.01)
    assert read_leaks(tmp_path / "out").count == 49


def test_a_pipe_is_refused_as_it_cannot_be_read_twice(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match=r"pipe: is read twice, .* write the hashes to a file first"):
        build([tmp_path / "pipe"], tmp_path / "out", 0.01)
    assert not (tmp_path / "out").exists()


def test_nothing_to_build_from_and_nothing_to_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no SHA-1"):
        build([tmp_path], tmp_path / "out", 0.01)
    with pytest.raises(SettingsError, match="No such file"):
        read_leaks(tmp_path / "out")
