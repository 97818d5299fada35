"""A list of who is held back, in a file that is replaced as a whole."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from lapwing.events import StoreError
from lapwing.io.files import ANYBODY, replace


class DenyShape(StrEnum):
    """What a line of the file looks like."""

    PLAIN = "plain"  # one address or network a line
    NGINX = "nginx"  # `deny 192.0.2.1;`, to be included where access is decided
    NGINX_MAP = "nginx-map"  # `192.0.2.1 1;`, to be included in a `geo` block


_LINES = {DenyShape.PLAIN: "{}\n", DenyShape.NGINX: "deny {};\n", DenyShape.NGINX_MAP: "{} 1;\n"}


class DenyFile:
    """Writes the sources of all decisions that hold, sorted; readers see the old file or the new one, no half of it."""

    def __init__(self, path: Path, shape: DenyShape = DenyShape.PLAIN) -> None:
        self._path = path
        self._line = _LINES[shape]
        self._written: list[str] | None = None
        self._identity: tuple[int, ...] = ()

    def write(self, sources: Iterable[str]) -> None:
        """Replace the file when the list changed, or somebody else changed the file. Raises StoreError."""
        wanted = sorted(sources)
        if wanted == self._written and self._identity == self._identity_now():
            return
        text = "".join(map(self._line.format, wanted))
        try:
            replace(self._path, text.encode(), ANYBODY, durable=False)  # the next run writes it anew
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be written: {error.strerror or error}") from error
        self._written, self._identity = wanted, self._identity_now()

    def _identity_now(self) -> tuple[int, ...]:
        try:
            there = self._path.stat()
        except OSError:
            return ()
        return there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns
