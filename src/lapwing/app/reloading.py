"""A changed configuration for what runs on and on: taken over between two batches, with nothing known forgotten."""

from collections.abc import Callable

import msgspec

from lapwing.app.configuration import leaves
from lapwing.app.guard import complain
from lapwing.events import SettingsError
from lapwing.sessions import PipelineSettings

FIXED = {  # what is only read at the start, and why; a name that ends with a dot stands for all below it
    "flows.": "the table of flows is laid out by it",
    "sessions.": "sessions that are open count on it",
    "detect.max_sources": "memory is laid out for it",
}


class Reloading:
    """Reads the configuration again when asked to, and hands on what may change while running."""

    def __init__(
        self,
        settings: PipelineSettings,
        load: Callable[[], PipelineSettings],
        change: Callable[[PipelineSettings], None],
        say: Callable[[str], None] = complain,
    ) -> None:
        """`settings` are those of now, `load` composes them anew, `change` takes them over or raises SettingsError."""
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
            changed = differing(self._settings, wanted)
            reasons = {path: reason for path in changed if (reason := fixed_by(path))}
            taken = [path for path in changed if path not in reasons]
            if taken:
                self._take(wanted)
        except SettingsError as error:
            self._say(f"configuration refused, going on with the one before: {error}")
            return
        self._say(f"configuration read again: {', '.join(taken) or 'nothing'} changed")
        if reasons:
            named = ", ".join(f"{path} ({reason})" for path, reason in reasons.items())
            self._say(f"cannot change while running, restart for it: {named}")

    def _take(self, wanted: PipelineSettings) -> None:
        now = self._settings
        detect = msgspec.structs.replace(wanted.detect, max_sources=now.detect.max_sources)
        settings = msgspec.structs.replace(wanted, flows=now.flows, sessions=now.sessions, detect=detect)
        self._change(settings)
        self._settings = settings


def fixed_by(path: str) -> str:
    """Why a setting cannot change while running; empty where it can."""
    return next((why for name, why in FIXED.items() if path == name or (name[-1] == "." and path.startswith(name))), "")


def differing(before: PipelineSettings, after: PipelineSettings) -> list[str]:
    """Key paths of the settings that differ."""
    values = {path: value for path, _, value in leaves(before)}
    return [path for path, _, value in leaves(after) if values[path] != value]
