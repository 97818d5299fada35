"""Reads the tab-separated logs and the index that joins them with traces."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

Row = dict[str, str | None]

_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})")


class Case(NamedTuple):
    """One run of the other program: a trace, the folder of its logs, and whether it dropped bad checksums."""

    name: str
    trace: Path
    expected: Path
    logs: tuple[str, ...]
    ignore_checksums: bool


def captures() -> Path | None:
    """The folder of captures that lies beside the project, None when it is not there."""
    value = os.environ.get("LAPWING_CAPTURES")
    return Path(value) if value and Path(value).is_dir() else None


def cases(log: str) -> Iterator[Case]:
    """All cases that have `log`."""
    root = captures()
    if root is None:
        return
    for entry in json.loads((root / "zeek" / "index.json").read_text()):
        if log in entry["logs"]:
            yield Case(
                entry["expected"].partition("/")[2],
                root / "zeek" / entry["trace"],
                root / "zeek" / entry["expected"],
                tuple(entry["logs"]),
                entry["ignore_checksums"],
            )


def rows(path: Path) -> list[Row]:
    """The rows of one log; unset fields are None. Logs cut to a few columns have them named in their first line."""
    fields: list[str] = []
    found: list[Row] = []
    for line in path.read_text("latin-1").splitlines():
        if line.startswith("#fields"):
            fields = line.split("\t")[1:]
        elif not line or line.startswith("#"):
            continue
        elif not fields:
            fields = line.split("\t")
        else:
            values = [None if value == "-" else value for value in line.split("\t")]
            found.append(dict(zip(fields, values, strict=False)))
    return found


def unescape(text: str) -> str:
    """Undo `\\xHH`, giving latin-1 text."""
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)
