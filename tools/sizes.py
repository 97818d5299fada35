"""The size report: files past their hard limit end the check, those past the soft one are listed.

A file that keeps growing holds two things; a function past 80 lines hides two.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOTS = ("src/lapwing", "tools", "bench", "fuzz", "tests")
SOFT_FILE_LINES = 450
HARD_FILE_LINES = 700
SOFT_FUNCTION_LINES = 30
HARD_FUNCTION_LINES = 80


class Long(NamedTuple):
    """Something longer than its soft limit."""

    where: str
    lines: int
    hard: bool


def files(root: Path) -> list[Path]:
    """All Python files of the project, sorted."""
    return sorted(path for name in ROOTS for path in (root / name).rglob("*.py"))


def long_functions(path: Path, source: str) -> Iterator[Long]:
    """Functions of one file past the soft limit. The compiled loops are exempt: a hot loop stays in one piece."""
    compiled = path.name.startswith("hot")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            lines = node.end_lineno - node.lineno + 1
            if lines > SOFT_FUNCTION_LINES:
                yield Long(f"{path}:{node.lineno} {node.name}", lines, lines > HARD_FUNCTION_LINES and not compiled)


def report(root: Path) -> tuple[list[Long], list[Long], int, int]:
    """Long files, long functions, number of files and of lines below `root`."""
    long_files: list[Long] = []
    functions: list[Long] = []
    total = 0
    paths = files(root)
    for path in paths:
        source = path.read_text(encoding="utf-8")
        lines = source.count("\n")
        total += lines
        relative = path.relative_to(root)
        if lines > SOFT_FILE_LINES:
            long_files.append(Long(str(relative), lines, lines > HARD_FILE_LINES))
        functions.extend(long_functions(relative, source))
    return long_files, functions, len(paths), total


def main() -> int:
    """Print the report; 1 when a hard limit is passed."""
    long_files, functions, count, total = report(Path())
    print(f"{count} files, {total} lines, {total // max(count, 1)} on average")
    for title, found in (("files", long_files), ("functions", functions)):
        for item in sorted(found, key=lambda one: -one.lines):
            print(f"  {item.lines:5}  {item.where}{'  TOO LONG' if item.hard else ''}")
        print(f"{len(found)} {title} past the soft limit, {sum(item.hard for item in found)} past the hard one")
    return int(any(item.hard for item in [*long_files, *functions]))


if __name__ == "__main__":
    sys.exit(main())
