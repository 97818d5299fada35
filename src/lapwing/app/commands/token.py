"""`lapwing token`: make, list, show, place and revoke what is planted."""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.table import Table

from lapwing.app.callback_lines import text_line
from lapwing.app.decoys import PASSWORD
from lapwing.app.exit_codes import ExitCode
from lapwing.app.formats import Format
from lapwing.app.guard import complain
from lapwing.app.planted import DECOYS, Planting, create, history, named, place, planted, revoke, uses
from lapwing.app.terminal import stdout_console
from lapwing.app.units import duration_ns, plural, say_time
from lapwing.app.words import safe
from lapwing.callbacks.planting import KINDS, Artefact
from lapwing.events import SettingsError
from lapwing.io.files import write_whole
from lapwing.io.store import PlantedToken

SECOND_NS = 1_000_000_000
SHOWN_HITS = 100


class CreateOptions(NamedTuple):
    """The command line of `lapwing token create`."""

    store: str
    planting: Planting
    expires: str | None = None
    alert_every: str = "60s"
    output: Path | None = None
    stdin_password: bool = False


def run_create(options: CreateOptions) -> ExitCode:
    """Make a token, keep it, print or write what to plant."""
    wanted = options.planting._replace(
        expires_ns=None if options.expires is None else _duration(options.expires, "--expires"),
        alert_every_s=_duration(options.alert_every, "--alert-every") // SECOND_NS,
        password=sys.stdin.readline().rstrip("\r\n") if options.stdin_password else None,
    )
    kind = KINDS.get(wanted.kind)
    if kind is not None and kind.is_file and options.output is None:
        raise SettingsError(f"-o: {wanted.kind} is a file: name a place for it, a folder will do: -o .")

    def write(artefact: Artefact) -> None:
        if options.output is not None:
            if not artefact.data:
                raise SettingsError(f"-o: a {wanted.kind} is no file")
            place_of_it = options.output / artefact.filename if options.output.is_dir() else options.output
            write_whole(place_of_it, artefact.data, overwrite=False)
            complain(f"wrote {place_of_it}")

    made = asyncio.run(create(options.store, wanted, write))
    artefact = made.artefact
    if artefact.data and options.output is None and artefact.text.encode() != artefact.data:
        complain(f"there is a whole {artefact.filename}, too: -o . writes it")
    if wanted.kind != PASSWORD or not options.stdin_password:
        print(artefact.text.rstrip("\n"))
    fires_on = DECOYS[wanted.kind] if wanted.kind in DECOYS else KINDS[wanted.kind].fires_on
    complain(f"token {made.token.name} trips on: {fires_on}")
    return ExitCode.CLEAN


def run_list(store: str, output: Format | None) -> ExitCode:
    """All tokens: a table on a terminal, elsewhere a JSON object per line."""
    tokens = asyncio.run(planted(store))
    if output is Format.TABLE or (output is None and sys.stdout.isatty()):
        table = Table(box=None, pad_edge=False)
        for title in ("token", "kind", "state", "hits", "last hit", "note", "placement"):
            table.add_column(title, overflow="fold", no_wrap=title == "token")
        for one in tokens:
            last = "" if one.last_hit_ns is None else say_time(one.last_hit_ns)
            table.add_row(one.name, one.kind, state(one), str(one.hit_count), last, safe(one.note), safe(one.placement))
        stdout_console().print(table)
    else:
        for one in tokens:
            print(_json(one))
    return ExitCode.CLEAN


def run_show(store: str, name: str, output: Format | None) -> ExitCode:
    """One token and the history of its hits."""
    token = asyncio.run(named(store, name))
    if output is Format.NDJSON or output is Format.JSON:
        print(_json(token))
        return ExitCode.CLEAN
    _print(token)
    hits = list(_hits(store, token))
    for line in hits[-SHOWN_HITS:]:
        print(f"  {line}")
    earlier = token.hit_count - min(len(hits), SHOWN_HITS)
    if earlier > 0:
        print(f"  and {plural(earlier, 'earlier hit')}")
    return ExitCode.CLEAN


def _hits(store: str, token: PlantedToken) -> Iterator[str]:
    """A line for each of the newest hits, oldest first."""
    if token.kind in DECOYS:
        for use in asyncio.run(uses(store, token)):
            where = f" at {use.endpoint}" if use.endpoint else ""
            yield safe(f"[{say_time(use.ts_ns)}] Used in {use.protocol} by {use.client_ip or 'somebody'}{where}")
    else:
        for interaction, doubts in asyncio.run(history(store, token)):
            marks = f"  ({', '.join(sorted(doubts))})" if doubts else ""
            yield f"{text_line(interaction)}{marks}"


def run_revoke(store: str, name: str) -> ExitCode:
    """End a token."""
    _print(asyncio.run(revoke(store, name)))
    return ExitCode.CLEAN


def run_place(store: str, name: str, where: str) -> ExitCode:
    """Note where a token was put."""
    _print(asyncio.run(place(store, name, where)))
    return ExitCode.CLEAN


def state(token: PlantedToken) -> str:
    """`live`, `revoked` or `expired`."""
    if token.revoked_ns is not None:
        return "revoked"
    return "live" if token.live(time.time_ns()) else "expired"


def _print(token: PlantedToken) -> None:
    lines = {
        "token": token.name,
        "kind": token.kind,
        "state": state(token),
        "note": token.note,
        "placement": token.placement,
        "created": say_time(token.created_ns),
        "expires": "" if token.expires_ns is None else say_time(token.expires_ns),
        "hits": str(token.hit_count),
        "first hit": "" if token.first_hit_ns is None else say_time(token.first_hit_ns),
        "last hit": "" if token.last_hit_ns is None else say_time(token.last_hit_ns),
        "alerts held back": str(token.suppressed_count) if token.suppressed_count else "",
    }
    for name, value in lines.items():
        if value:
            print(f"{name:<17}{safe(value)}")


def _json(token: PlantedToken) -> str:
    fields = msgspec.structs.asdict(token) | {"state": state(token)}
    del fields["details"], fields["token_id"]
    return msgspec.json.encode(fields).decode()


def _duration(text: str, option: str) -> int:
    try:
        return duration_ns(text)
    except ValueError as problem:
        raise SettingsError(f"{option}: {problem}") from None
