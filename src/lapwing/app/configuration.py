"""The effective settings: defaults, then a TOML file, then the environment, each value with its origin.

Sections and keys are those of the rooms' own settings; this module only composes them, checks them one by one, and
says of a wrong one what would be right.
"""

import difflib
import os
import tomllib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    NamedTuple,
    Protocol,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

import msgspec

from lapwing.app.type_words import in_words
from lapwing.app.units import field_value
from lapwing.events import SettingsError
from lapwing.sessions import PipelineSettings

if TYPE_CHECKING:
    from lapwing.callbacks import ClientSettings

ENV_PREFIX = "LAPWING_"
ENV_SEPARATOR = "__"  # LAPWING_FLOWS__MAX_FLOWS; a name without it is no setting
ENV_FILE = "LAPWING_CONFIG"
DEFAULT_FILE = Path("lapwing") / "lapwing.toml"  # below XDG_CONFIG_HOME

DEFAULTS = PipelineSettings()
CALLBACKS = "callbacks"  # the section of the callback client, whose room is only imported where somebody uses it
MAX_CONFIG_BYTES = 1024 * 1024  # a settings file is kilobytes; more is the wrong file


class Entry(NamedTuple):
    """One setting: its key path, its value and where that came from (`default`, a file, a variable)."""

    path: str
    value: Any
    origin: str


@runtime_checkable
class Validates(Protocol):
    """A section that refuses values which do not fit together."""

    def validate(self, path: str) -> None:
        """Raises SettingsError naming the key below `path` and what would be right."""


class Configuration(NamedTuple):
    """Checked settings, and every value with its origin. `callbacks` is None where nobody asked for it."""

    settings: PipelineSettings
    entries: list[Entry]
    file: Path | None
    callbacks: "ClientSettings | None" = None


def everything() -> msgspec.Struct:
    """The defaults of all sections: those of the pipeline, and the callback client's."""
    from lapwing.app.all_settings import AllSettings

    return AllSettings()


def _sections(settings: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    return ((name, getattr(settings, name)) for name in settings.__struct_fields__)


def load(file: Path | None = None, environ: Mapping[str, str] | None = None, *, whole: bool = False) -> Configuration:
    """Compose the settings; `whole` with those of the callback client, where nothing sets them, too.

    `file` is what the command line named; without it `LAPWING_CONFIG`, then `lapwing/lapwing.toml` below
    `XDG_CONFIG_HOME` (or `~/.config`) is taken when it exists.
    Raises SettingsError naming the key path, the origin and what would be right.
    """
    environ = os.environ if environ is None else environ
    found = _find_file(file, environ)
    data = {} if found is None else read_file(found)
    mine = f"{ENV_PREFIX}{CALLBACKS.upper()}{ENV_SEPARATOR}"
    whole = whole or CALLBACKS in data or any(name.startswith(mine) for name in environ)
    defaults = everything() if whole else DEFAULTS
    given = _from_mapping(data, defaults, "", str(found)) | _from_environment(environ, defaults)
    entries: list[Entry] = []
    built = dict(_sections(_build(defaults, "", given, entries)))
    callbacks = built.pop(CALLBACKS, None)
    return Configuration(PipelineSettings(**built), entries, found, callbacks)


def read_file(path: Path) -> dict[str, Any]:
    """Parse a TOML file. Raises SettingsError when it cannot be read or is no TOML."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MAX_CONFIG_BYTES:
        raise SettingsError(f"{path}: {len(data):,} bytes are no settings file")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None


def leaves(default: msgspec.Struct | None = None, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Key path, type and default of every setting below `default`, by default of all there are, in order.

    Two sections of one type may have different defaults, so these come from the instance, never from the type.
    """
    default = everything() if default is None else default
    hints = get_type_hints(type(default), include_extras=True)
    for name in default.__struct_fields__:
        value = getattr(default, name)
        if isinstance(value, msgspec.Struct):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", hints[name], value


def sections(default: msgspec.Struct | None = None, prefix: str = "") -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Every settings struct below `default`, by default of all there are, with the prefix of its keys."""
    default = everything() if default is None else default
    yield prefix, type(default)
    for name in default.__struct_fields__:
        value = getattr(default, name)
        if isinstance(value, msgspec.Struct):
            yield from sections(value, f"{prefix}{name}.")


def _find_file(file: Path | None, environ: Mapping[str, str]) -> Path | None:
    if file is not None:
        return file
    if environ.get(ENV_FILE):
        return Path(environ[ENV_FILE])
    base = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else "")
    candidate = Path(base) / DEFAULT_FILE if base else None
    return candidate if candidate is not None and candidate.is_file() else None


def _from_mapping(
    data: Mapping[str, Any], default: msgspec.Struct, prefix: str, origin: str
) -> dict[str, tuple[Any, str]]:
    given: dict[str, tuple[Any, str]] = {}
    for name, value in data.items():
        path = prefix + name
        if name not in default.__struct_fields__:
            raise SettingsError(_unknown(path, origin))
        section = getattr(default, name)
        if not isinstance(section, msgspec.Struct):
            given[path] = (value, origin)
        elif isinstance(value, Mapping):
            given.update(_from_mapping(value, section, f"{path}.", origin))
        else:
            raise SettingsError(f"{path}: is a section, written [{path}], not a value (in {origin})")
    return given


def _from_environment(environ: Mapping[str, str], defaults: msgspec.Struct) -> dict[str, tuple[Any, str]]:
    known = {path for path, _, _ in leaves(defaults)}
    given: dict[str, tuple[Any, str]] = {}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(ENV_PREFIX) or ENV_SEPARATOR not in variable:
            continue
        path = variable.removeprefix(ENV_PREFIX).replace(ENV_SEPARATOR, ".").lower()
        if path not in known:
            raise SettingsError(_unknown(path, variable))
        given[path] = (_parsed(text), variable)
    return given


def _parsed(text: str) -> Any:
    """A variable's text as TOML would read it; what is no TOML value is the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _unknown(path: str, origin: str) -> str:
    known = [name for name, _, _ in leaves()]
    sections = sorted({name.rpartition(".")[0] for name in known})
    close = difflib.get_close_matches(path, [*known, *sections], n=1, cutoff=0.6)
    if close:
        return f"{path}: no such setting (in {origin}); did you mean {close[0]}?"
    section = path.rpartition(".")[0]
    there = [name for name in known if section and name.startswith(f"{section}.")] or [f"[{one}]" for one in sections]
    return f"{path}: no such setting (in {origin}); there are {', '.join(there)}"


def _build(default: msgspec.Struct, prefix: str, given: Mapping[str, tuple[Any, str]], entries: list[Entry]) -> Any:
    hints = get_type_hints(type(default), include_extras=True)
    values: dict[str, Any] = {}
    for name in default.__struct_fields__:
        path = prefix + name
        value, origin = getattr(default, name), "default"
        if isinstance(value, msgspec.Struct):
            values[name] = _build(value, f"{path}.", given, entries)
            continue
        if path in given:
            raw, origin = given[path]
            value = _value(path, name, raw, hints[name], origin)
        values[name] = value
        entries.append(Entry(path, value, origin))
    try:
        built = type(default)(**values)
        if isinstance(built, Validates):
            built.validate(prefix.rstrip("."))
    except (ValueError, SettingsError) as error:
        raise SettingsError(_name_section(prefix, str(error))) from None
    return built


def _name_section(prefix: str, message: str) -> str:
    """A room checks what two of its settings mean together; the message gets the section's name in front."""
    section = prefix.rstrip(".")
    return message if not section or message.startswith(section) else f"{section}: {message}"


def _value(path: str, name: str, raw: Any, hint: Any, origin: str) -> Any:
    """`raw` as the setting's type. A quantity with its unit (`10m`, `64MiB`) stands for a number."""
    if isinstance(raw, str) and not _takes_text(hint):
        try:
            raw = field_value(name, raw)
        except ValueError as error:
            raise SettingsError(f"{path}: {error} (in {origin})") from None
    try:
        return msgspec.convert(raw, hint, strict=True)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        where = path + place.rstrip("`")
        right = f", it takes {', '.join(filter(None, in_words(hint)))}" if where == path else f": {message.lower()}"
        raise SettingsError(f"{where}: {_shown(raw)} is not right{right} (in {origin})") from None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"


def _takes_text(hint: Any) -> bool:
    return not _bare(hint) & {int, float}


def _bare(hint: Any) -> set[Any]:
    """The plain types behind Annotated and unions."""
    if hasattr(hint, "__metadata__"):
        return _bare(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        return {one for part in get_args(hint) for one in _bare(part)}
    return {hint}
