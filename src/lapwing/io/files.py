"""Files that are written as a whole, and never through a link that somebody laid there before; how they are named."""

import errno
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

OWNER_ONLY = 0o600
ANYBODY = 0o666  # as far as the umask lets them


def write_new(path: Path, data: bytes | Sequence[bytes], mode: int = OWNER_ONLY, *, durable: bool = True) -> None:
    """Write a file with this mode from its first byte on; what stood at `path`, also a link, goes. Raises OSError.

    `data` may come in parts.
    """
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        file.writelines((data,) if isinstance(data, bytes) else data)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def replace(path: Path, data: bytes | Sequence[bytes], mode: int = OWNER_ONLY, *, durable: bool = True) -> None:
    """Readers see the old file or the new one, no half of it; with `durable` also after a crash. Raises OSError.

    A device or a pipe, also behind a link such as `/dev/stdout`, is left as it is: it would be a file afterwards.
    """
    with suppress(FileNotFoundError):
        mode_there = path.stat().st_mode
        if not (stat.S_ISREG(mode_there) or stat.S_ISDIR(mode_there)):
            raise OSError(errno.EINVAL, "is no file that can be replaced", str(path))
    beside = _beside(path)
    write_new(beside, data, mode, durable=durable)
    beside.replace(path)


def write_whole(path: Path, data: bytes, *, overwrite: bool = True) -> None:
    """Write what somebody wants at a place of their choice: all of it, or what stood there stays.

    A device or a pipe is written to as it is. Raises OSError that names the place, FileExistsError without `overwrite`,
    also where a link stands that leads nowhere.
    """
    place = path.resolve()  # behind a link: it goes on pointing there
    if not overwrite and (path.is_symlink() or place.exists()):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    if place.exists() and not place.is_file():
        place.write_bytes(data)
        return
    try:
        replace(place, data, stat.S_IMODE(place.stat().st_mode) if place.exists() else ANYBODY, durable=False)
    except OSError as error:
        with suppress(OSError):
            _beside(place).unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from None


def _beside(path: Path) -> Path:
    """Where a file is written until it is whole: nobody else has a file of that name."""
    return path.with_name(f".{path.name}.lapwing")


def shown(name: str) -> str:
    """A file's name as events have it: bytes that are no UTF-8 are written as `\\xff`, for no JSON can hold them."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def append_to(path: Path) -> BinaryIO:
    """Open a file that grows, made for its owner alone where there is none. Raises OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, OWNER_ONLY), "ab")
