"""From what a person types to the list of captures: files, directories, globs, `-`."""

from collections.abc import Iterable
from glob import glob, has_magic
from pathlib import Path

from lapwing.events import SourceError
from lapwing.io.capture.unpack import STDIN, head_of
from lapwing.wire import is_capture_head

HEAD_BYTES = 4  # the magic


def expand_paths(arguments: Iterable[str | Path]) -> list[str]:
    """The captures meant by `arguments`, in the order given; those of a directory or glob sorted by name.

    Directories are searched recursively and captures told by content, also packed ones. Files named one by one are
    taken as they are, so that what is wrong with them is reported when they are opened. Each file comes once.

    Raises SourceError when a path cannot be looked at, or a directory or glob holds no capture.
    """
    found: dict[str, None] = {}
    for argument in map(str, arguments):
        try:
            found.update(dict.fromkeys(_expand(argument)))
        except OSError as error:  # a folder on the way there may not be entered
            raise SourceError(f"{argument}: cannot be opened: {error.strerror or error}") from error
    return list(found)


def _expand(argument: str) -> list[str]:
    path = Path(argument)
    if argument == STDIN:
        return [argument]
    if path.is_dir():
        return _in_directory(path)
    if path.exists() or not has_magic(argument):
        return [argument]
    matches: list[str] = []
    for match in sorted(glob(argument, recursive=True)):  # noqa: PTH207 - Path.glob takes no absolute pattern
        matches += _captures_below(Path(match)) if Path(match).is_dir() else [match]
    if not matches:
        raise SourceError(f"{argument}: no file matches")
    return matches


def _in_directory(path: Path) -> list[str]:
    next(path.iterdir(), None)  # raises where it may not be read; a search passes over that
    captures = _captures_below(path)
    if not captures:
        raise SourceError(f"{path}: no capture in this directory; pcap and pcapng are known, also as .gz and .zst")
    return captures


def _captures_below(path: Path) -> list[str]:
    files = (file for file in sorted(path.rglob("*")) if file.is_file())
    return [str(file) for file in files if is_capture_head(head_of(file, HEAD_BYTES))]
