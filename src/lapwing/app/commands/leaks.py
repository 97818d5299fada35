"""`lapwing leaks`: build a filter of leaked passwords from range files, and ask it."""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from lapwing.app.exit_codes import ExitCode
from lapwing.app.lines import bounded_lines
from lapwing.events import SettingsError, SourceError
from lapwing.io.files import write_whole
from lapwing.io.surroundings import read_leaks
from lapwing.logins import LeakFilter
from lapwing.logins.leaked import MAX_BITS, hash_of, shape_for

MAX_LINE_BYTES = 64 * 1024  # a hash with its count has some fifty, a password at the most a few hundred
_RANGE = re.compile(r"[0-9A-Fa-f]{5}(\.txt)?")


def build(inputs: Sequence[Path], output: Path, false_share: float) -> ExitCode:
    """Two passes over the files, one to count and one to add, so that the filter is as small as it can be."""
    for path in inputs:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise SourceError(f"{path}: is read twice, which no pipe can be; write the hashes to a file first")
    count = sum(1 for _ in hashes(inputs))
    if not count:
        raise SourceError(f"{', '.join(map(str, inputs))}: no SHA-1 hashes; ranges named ABCDE, or lines HASH:COUNT")
    shape = shape_for(count, false_share)
    if shape.bits >= MAX_BITS:
        raise SettingsError(f"--false {false_share:g}: {count:,} hashes need more than {MAX_BITS >> 33} GiB")
    leaks = LeakFilter(shape)
    for digest in hashes(inputs):
        leaks.add_hash(digest)
    write_whole(output, leaks.dump())
    sys.stdout.write(f"{output}: {leaks.count:,} hashes in {shape.bits // 8:,} bytes, {shape.probes} probes each\n")
    return ExitCode.CLEAN


def check(path: Path) -> ExitCode:
    """Say of each line of standard input whether it is in the filter: exit code 1 if one is. Nothing is echoed."""
    leaks = read_leaks(path)
    found = 0
    for number, line in enumerate(bounded_lines(sys.stdin.buffer, MAX_LINE_BYTES), 1):
        leaked = leaks.has(line.rstrip(b"\r\n").decode("utf-8", "replace"))
        found += leaked
        sys.stdout.write(f"line {number}: {'leaked' if leaked else 'not known'}\n")
    return ExitCode.FINDINGS if found else ExitCode.CLEAN


def hashes(inputs: Sequence[Path]) -> Iterator[bytes]:
    """The hashes of files and of folders of range files, in the order of their names."""
    for path in inputs:
        files = sorted(f for f in path.iterdir() if _RANGE.fullmatch(f.name)) if path.is_dir() else [path]
        for file in files:
            yield from _hashes(file)


def _hashes(path: Path) -> Iterator[bytes]:
    prefix = path.name[:5] if _RANGE.fullmatch(path.name) else ""
    try:
        with path.open("rb") as lines:
            for line in bounded_lines(lines, MAX_LINE_BYTES):
                digest = hash_of(line, prefix)
                if digest is not None:
                    yield digest
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None
