"""`lapwing doctor`: what this installation can do, line by line, and what to do about what is missing."""

import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from os import environ
from typing import NamedTuple

from rich.text import Text

from lapwing._version import __version__
from lapwing.app.configuration import load
from lapwing.app.exit_codes import ExitCode
from lapwing.app.installation import SLOWDOWN, hot_modules, libpcap, may_capture
from lapwing.app.terminal import stdout_console
from lapwing.events import SettingsError

STYLES = {"ok": "green", "slow": "yellow", "missing": "yellow", "no": "dim", "wrong": "bold red"}
DEPENDENCIES = ("httptools", "msgspec", "numpy", "rich", "typer", "zstandard")
EXTRAS = {
    "acme": ("acme", "requests"),
    "callbacks": ("httpx2", "segno"),
    "collector": ("aiosqlite", "alembic", "h2", "sqlalchemy"),
    "columns": ("pyarrow",),
    "files": ("puremagic",),
    "pcap": ("pcapy-ng",),
    "places": ("maxminddb",),
    "postgres": ("asyncpg",),
}


class Check(NamedTuple):
    """One thing looked at: `state` is a key of STYLES."""

    name: str
    state: str
    words: str


def run() -> ExitCode:
    """Print all checks. Only what makes Lapwing unusable ends with an error."""
    found = list(checks())
    console = stdout_console()
    for check in found:
        line = Text(f"{check.name:<12}").append(f"{check.state:<9}", style=STYLES[check.state]).append(check.words)
        console.print(line, soft_wrap=True)
    return ExitCode.USAGE if any(check.state == "wrong" for check in found) else ExitCode.CLEAN


def checks() -> Iterator[Check]:
    """Everything, in the order it matters."""
    yield Check("lapwing", "ok", __version__)
    yield Check("python", "ok", f"{platform.python_version()}, {platform.system()} {platform.machine()}")
    yield _loops()
    yield Check("libraries", "ok", ", ".join(f"{name} {metadata.version(name)}" for name in DEPENDENCIES))
    yield _extras()
    name = libpcap()
    words = f"{name}: any filter" if name else "no libpcap, so filters are limited to the built-in words"
    yield Check("libpcap", "ok" if name else "missing", words)
    words = "packet sockets may be opened" if may_capture() else "no CAP_NET_RAW; captures in files need none"
    yield Check("capturing", "ok" if may_capture() else "no", words)
    yield _settings()
    yield _terminal()


def _loops() -> Check:
    modules = hot_modules()
    missing = [name for name, compiled in modules.items() if not compiled]
    if not missing:
        return Check("loops", "ok", f"compiled: {', '.join(modules)}")
    advice = f"about {SLOWDOWN} times slower; install a C compiler and build again"
    return Check("loops", "slow", f"not compiled: {', '.join(missing)}; {advice}")


def _extras() -> Check:
    missing = {name for name, needed in EXTRAS.items() if not all(map(_is_installed, needed))}
    words = ", ".join(name for name in EXTRAS if name not in missing) or "none"
    if not missing:
        return Check("extras", "ok", words)
    return Check("extras", "no", f"{words}; not installed: {', '.join(sorted(missing))} (pip install 'lapwing[NAME]')")


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _settings() -> Check:
    try:
        configuration = load()
    except SettingsError as error:
        return Check("settings", "wrong", str(error))
    changed = sum(entry.origin != "default" for entry in configuration.entries)
    return Check("settings", "ok", f"{configuration.file or 'defaults, no file'}; {changed} changed")


def _terminal() -> Check:
    if not sys.stdout.isatty():
        return Check(
            "terminal", "no", "standard output is no terminal: events are written as NDJSON, tables as plain text"
        )
    colour = "no colour (NO_COLOR)" if environ.get("NO_COLOR") else "colour"
    return Check("terminal", "ok", f"{shutil.get_terminal_size().columns} columns, {colour}")
