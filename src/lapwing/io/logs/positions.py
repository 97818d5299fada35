"""Where earlier runs stopped, kept in a file: written as a whole or not at all."""

from pathlib import Path

import msgspec

from lapwing.events import StoreError
from lapwing.io.files import ANYBODY, replace, shown
from lapwing.io.logs.follow import Position

MAX_FILE_BYTES = 16 * 1024 * 1024
VERSION = 1


class _Contents(msgspec.Struct, frozen=True):
    version: int
    positions: dict[str, Position]


class PositionFile:
    """Positions by the absolute path of the log."""

    def __init__(self, path: Path) -> None:
        """Raise StoreError when the file is there and cannot be understood."""
        self.path = path
        self._positions: dict[str, Position] = {}
        try:
            data = path.read_bytes() if path.stat().st_size <= MAX_FILE_BYTES else b""
            self._positions = dict(msgspec.json.decode(data, type=_Contents).positions)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise StoreError(f"{path}: is no file of positions ({error}); name another, or delete it") from error

    def get(self, log: str) -> Position | None:
        """Where reading of `log` stopped; None for a log never read."""
        return self._positions.get(_key(log))

    def put(self, log: str, position: Position | None) -> None:
        """Note where reading of `log` stands."""
        if position is not None:
            self._positions[_key(log)] = position

    def save(self) -> bool:
        """Write them all; True. Raises StoreError."""
        data = msgspec.json.encode(_Contents(VERSION, self._positions))
        try:
            replace(self.path, data, ANYBODY)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written: {error.strerror or error}") from error
        return True


def _key(log: str) -> str:
    return shown(str(Path(log).absolute()))
