"""A changed configuration for what runs on and on: taken over between two batches, with nothing known forgotten."""

from collections.abc import Callable

import msgspec

from lapwing.app.configuration import leaves
from lapwing.app.guard import complain
from lapwing.detect import DetectSettings
from lapwing.events import SettingsError
from lapwing.sessions import PipelineSettings

SECTION = "detect."  # what is thought of logins can change at any moment; how they are read is built in at the start
LAID_OUT = frozenset({"detect.max_sources"})  # memory was laid out for it


class Reloading:
    """Reads the configuration again when asked to, and hands on what may change while running."""

    def __init__(
        self,
        settings: PipelineSettings,
        load: Callable[[], PipelineSettings],
        change: Callable[[DetectSettings], None],
        say: Callable[[str], None] = complain,
    ) -> None:
        """`settings` are those of now, `load` composes them anew, `change` takes those of detection over."""
        self._settings = settings
        self._load = load
        self._change = change
        self._say = say
        self._asked = False

    def ask(self) -> None:
        """Let the next `turn` read. Callable from a signal."""
        self._asked = True

    def turn(self) -> None:
        """Read where it was asked for. A wrong configuration is refused as a whole, and that of before goes on."""
        if not self._asked:
            return
        self._asked = False
        try:
            wanted = self._load()
        except SettingsError as error:
            self._say(f"configuration refused, going on with the one before: {error}")
            return
        changed = differing(self._settings, wanted)
        fixed = [path for path in changed if path in LAID_OUT or not path.startswith(SECTION)]
        taken = [path for path in changed if path not in fixed]
        detect = msgspec.structs.replace(wanted.detect, max_sources=self._settings.detect.max_sources)
        if taken:
            self._change(detect)
            self._settings = msgspec.structs.replace(self._settings, detect=detect)
        self._say(f"configuration read again: {', '.join(taken) or 'nothing'} changed")
        if fixed:
            self._say(f"cannot change while running, restart for it: {', '.join(fixed)}")


def differing(before: PipelineSettings, after: PipelineSettings) -> list[str]:
    """Key paths of the settings that differ."""
    values = {path: value for path, _, value in leaves(before)}
    return [path for path, _, value in leaves(after) if values[path] != value]
