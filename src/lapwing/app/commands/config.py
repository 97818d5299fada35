"""`lapwing config`: settings written out, checked, and shown with their origins."""

import sys
import textwrap
from pathlib import Path

import msgspec

from lapwing.app.configuration import load
from lapwing.app.descriptions import Description, describe
from lapwing.app.exit_codes import ExitCode
from lapwing.app.formats import Format
from lapwing.app.toml_text import toml_document, toml_value
from lapwing.events import SettingsError
from lapwing.io.files import write_whole

COMMENT_WIDTH = 100


def init(file: Path | None, force: bool) -> ExitCode:
    """Write every setting, commented out at its default, with its meaning."""
    text = (
        "# Settings of Lapwing. Every line that is commented out shows the default.\n"
        "# Quantities may carry their unit: 10m, 24h, 64MiB.\n\n"
    ) + toml_document((one.path, toml_value(one.default), _comments(one)) for one in describe())
    text = _commented(text)
    if file is None:
        sys.stdout.write(text)
    elif file.exists() and not force:
        raise SettingsError(f"{file}: exists; --force overwrites it")
    else:
        write_whole(file, text.encode())
    return ExitCode.CLEAN


def _comments(setting: Description) -> list[str]:
    words = " ".join(filter(None, (setting.meaning, f"({setting.type}; {setting.allowed})" if setting.allowed else "")))
    return ["", *textwrap.wrap(words, COMMENT_WIDTH)]


def _commented(document: str) -> str:
    """Comment the values out, so that a later default still reaches whoever never changed it."""
    lines = document.splitlines()
    kept = [line if not line or line.startswith(("#", "[")) else f"# {line}" for line in lines]
    return "\n".join("" if line == "# " else line for line in kept) + "\n"


def check(file: Path | None) -> ExitCode:
    """Say that the settings are right, or be stopped by the first that is not."""
    configuration = load(file, whole=True)
    changed = [entry for entry in configuration.entries if entry.origin != "default"]
    where = configuration.file or "no file, environment only"
    print(f"{where}: right; {len(changed)} of {len(configuration.entries)} settings are not at their defaults")
    return ExitCode.CLEAN


def show(file: Path | None, output: Format) -> ExitCode:
    """Print the effective values."""
    entries = load(file, whole=True).entries
    if output in (Format.JSON, Format.NDJSON):
        rows = [{"key": one.path, "value": msgspec.to_builtins(one.value), "origin": one.origin} for one in entries]
        encoder = msgspec.json.Encoder()
        data = encoder.encode_lines(rows) if output is Format.NDJSON else encoder.encode(rows) + b"\n"
        sys.stdout.buffer.write(data)
    elif output is Format.TABLE:
        sys.stdout.write(toml_document((one.path, f"{toml_value(one.value)}  # {one.origin}", []) for one in entries))
    else:
        raise SettingsError(f"-o {output.value}: settings are shown as table, json or ndjson")
    return ExitCode.CLEAN
