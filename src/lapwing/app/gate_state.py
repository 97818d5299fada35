"""What a guard knows, kept over restarts: a folder with a key and the state sealed under it."""

import mmap
import os
import secrets
import time
from pathlib import Path

from lapwing.events import SettingsError, StoreError
from lapwing.io.files import replace, write_new
from lapwing.web import Gate

KEY_BYTES = 32
SAVE_S = 60.0  # between writes: a crash forgets at most this much


class GateState:
    """A folder that holds `key` and `state`, both readable by their owner alone.

    Account names in the state can be read with the key only; keep backups of the two apart.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder and the key where there are none. Raises SettingsError."""
        self.path = folder / "state"
        self._saved = time.monotonic()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.key = _key(folder / "key")
        except OSError as error:
            raise SettingsError(f"--state: {folder}: {error.strerror}") from None

    def restore(self, gate: Gate) -> bool:
        """Let `gate` go on from what was kept; False where nothing was. Raises SettingsError for damage."""
        try:
            data = _mapped(self.path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise SettingsError(f"--state: {self.path}: {error.strerror}") from None
        try:
            gate.restore(data)
        except ValueError as error:
            raise SettingsError(f"--state: {self.path}: {error}; move it away to start anew") from None
        return True

    def turn(self, gate: Gate) -> bool | None:
        """Write when it is time; None where it is not. Raises StoreError."""
        if time.monotonic() - self._saved < SAVE_S:
            return None
        self.save(gate)
        return True

    def save(self, gate: Gate) -> None:
        """Write all of it, whole or not at all. Raises StoreError."""
        self._saved = time.monotonic()
        try:
            replace(self.path, gate.parts())
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}") from None


def _mapped(path: Path) -> memoryview:
    """What stands in a file, which takes no memory of ours: it is replaced as a whole, so it stays as it is."""
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _key(path: Path) -> bytes:
    if not path.exists():
        write_new(path, secrets.token_bytes(KEY_BYTES))
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise SettingsError(f"--state: {path}: {len(key)} bytes are no key; move it and the state away to start anew")
    return key
