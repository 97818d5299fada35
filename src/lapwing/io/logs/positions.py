"""Where earlier runs stopped, kept in a file: written as a whole or not at all."""

from contextlib import suppress
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
        self._own: dict[str, Position] = {}
        self._saved: dict[str, Position] = {}
        self._positions = self._read()

    def get(self, log: str) -> Position | None:
        """Where reading of `log` stopped; None for a log never read."""
        return self._own.get(_key(log)) or self._positions.get(_key(log))

    def put(self, log: str, position: Position | None) -> None:
        """Note where reading of `log` stands."""
        if position is not None:
            self._own[_key(log)] = position

    def save(self) -> bool | None:
        """Write them beside those of other logs that others wrote; None where nothing moved. Raises StoreError."""
        if self._own == self._saved:
            return None
        with suppress(StoreError):  # what is no file of positions any more has nothing to keep
            self._positions = self._read()
        data = msgspec.json.encode(_Contents(VERSION, self._positions | self._own))
        try:
            replace(self.path, data, ANYBODY)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written: {error.strerror or error}") from error
        self._saved = dict(self._own)
        return True

    def _read(self) -> dict[str, Position]:
        path = self.path
        try:
            data = path.read_bytes() if path.stat().st_size <= MAX_FILE_BYTES else b""
            return dict(msgspec.json.decode(data, type=_Contents).positions)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise StoreError(f"{path}: is no file of positions ({error}); name another, or delete it") from error


def _key(log: str) -> str:
    return shown(str(Path(log).absolute()))
