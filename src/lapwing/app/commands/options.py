"""Options several commands share, and the settings they mean."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from lapwing.app.units import NS_PER_S, duration_ns, size_bytes
from lapwing.events import SettingsError
from lapwing.io.capture import DEDUP_PRESETS, DedupSettings, LiveSettings, Recorder, RecordSettings

_T = TypeVar("_T")


class RecordOptions(NamedTuple):
    """The part of a command line about recording; sizes and durations as people write them."""

    path: str | None = None
    rotate_bytes: str | None = None
    rotate_s: str | None = None
    keep_files: int | None = None
    before: str | None = None
    after: str | None = None

    def by_option(self) -> dict[str, object]:
        """What was given, under the names of the command line."""
        names = ("-w", "--rotate-size", "--rotate-time", "--keep", "--before", "--after")
        return dict(zip(names, self, strict=True))


class LiveOptions(NamedTuple):
    """The part of a command line about an interface."""

    interface: str
    profile: str = "default"
    snaplen: int | None = None
    promiscuous: bool = True
    namespace: str | None = None
    fanout: int | None = None
    user: str | None = None
    capture: str = "auto"
    timestamps: str = "kernel"
    dedup: str = "off"


def live_settings(options: LiveOptions) -> LiveSettings:
    """The settings these options mean. Raises SettingsError for a value out of range."""
    given = {
        "dedup": str(options.dedup),
        "profile": options.profile,
        "snaplen_bytes": options.snaplen,
        "promiscuous": options.promiscuous,
        "namespace": options.namespace,
        "fanout_group": options.fanout,
        "capture": options.capture,
        "timestamps": options.timestamps,
    }
    return _settings(LiveSettings, {name: value for name, value in given.items() if value is not None})


def dedup_settings(preset: str) -> DedupSettings | None:
    """What counts as a copy, None when copies are not looked for."""
    return None if preset == "off" else DEDUP_PRESETS[preset]


def recorder(options: RecordOptions, inputs: Iterable[str] = ()) -> Recorder | None:
    """What writes packets to files, None when that was not asked for; none of `inputs` is written over.

    Raises SettingsError.
    """
    if options.path is None:
        if any(value is not None for value in options[1:]):
            raise SettingsError("rotation and pre-trigger need a file to write: add -w FILE")
        return None
    if options.after is not None and options.before is None:
        raise SettingsError("--after goes on after a finding: say with --before how long before it to begin")
    _check_target(options.path)
    try:
        given = {
            "rotate_bytes": size_bytes(options.rotate_bytes) if options.rotate_bytes else None,
            "rotate_s": duration_ns(options.rotate_s) / NS_PER_S if options.rotate_s else None,
            "keep_files": options.keep_files,
            "before_s": duration_ns(options.before) / NS_PER_S if options.before else None,
            "after_s": duration_ns(options.after) / NS_PER_S if options.after else None,
        }
    except ValueError as error:
        raise SettingsError(str(error)) from error
    settings = _settings(RecordSettings, {name: value for name, value in given.items() if value is not None})
    writer = Recorder(options.path, settings)
    for one in filter(writer.overwrites, inputs):
        raise SettingsError(f"-w {options.path}: would overwrite {one}, which is read")
    return writer


def _check_target(path: str) -> None:
    """Refuse what would mix packets with events, or fail at the first packet."""
    if path == "-":
        raise SettingsError("-w -: standard output is for events; name a file")
    target = Path(path)
    if target.is_dir():
        raise SettingsError(f"-w {path}: is a directory; name a file in it")
    if not target.absolute().parent.is_dir():
        raise SettingsError(f"-w {path}: there is no such directory")


def _settings(kind: type[_T], given: dict[str, object]) -> _T:
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise SettingsError(str(error)) from error
