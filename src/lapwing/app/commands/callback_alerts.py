"""`lapwing callbacks alerts`: what is to be told and was not taken yet, and another try for what was given up."""

import asyncio
import sys

import msgspec
from rich.table import Table

from lapwing.app.exit_codes import ExitCode
from lapwing.app.formats import Format
from lapwing.app.guard import complain
from lapwing.app.planted import opened
from lapwing.app.terminal import stdout_console
from lapwing.app.units import plural, say_time
from lapwing.app.words import safe
from lapwing.io.listen import shown_address
from lapwing.io.store import Letter, Letters


class _About(msgspec.Struct):
    """What an alert says of its hit, as far as a list needs it."""

    token: str = ""
    memo: str = ""


class Told(msgspec.Struct, frozen=True):
    """One line. `to` is where it goes, of a webhook without its path, which is a key; `next_try_ns` None: given up."""

    to: str
    token: str
    note: str
    made_ns: int
    tries_count: int
    next_try_ns: int | None
    failure: str


def run(store: str, output: Format | None, retry: bool) -> ExitCode:
    """List them: a table on a terminal, elsewhere a JSON object per line."""
    if retry:
        revived = asyncio.run(_revive(store))
        if revived:
            complain(f"{plural(revived, 'alert')} will be tried again by the collector")
    found = asyncio.run(_alerts(store))
    if not found:
        complain("no alert waits, and none was given up")
        return ExitCode.CLEAN
    if output is Format.TABLE or (output is None and sys.stdout.isatty()):
        _print(found)
    else:
        for one in found:
            print(msgspec.json.encode(one).decode())
    return ExitCode.CLEAN


async def _revive(url: str) -> int:
    async with opened(url) as (store, now_ns):
        return await Letters(store).revive(now_ns)


async def _alerts(url: str) -> list[Told]:
    """Those that were given up, newest first, then those that wait, the soonest first."""
    async with opened(url) as (store, _):
        letters = Letters(store)
        return [_told(one) for one in (*await letters.dead(), *await letters.waiting())]


def _told(letter: Letter) -> Told:
    about = msgspec.json.decode(letter.body, type=_About)
    return Told(
        shown_address(letter.address),
        about.token,
        about.memo,
        letter.made_ns,
        letter.tries_count,
        letter.due_ns,
        letter.failure,
    )


def _print(found: list[Told]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("made", "token", "note", "to", "tries", "next try", "last failure"):
        table.add_column(title, overflow="fold", no_wrap=title in ("made", "next try"))
    for one in found:
        next_try = "given up" if one.next_try_ns is None else say_time(one.next_try_ns)
        made, tries = say_time(one.made_ns), str(one.tries_count)
        table.add_row(made, one.token, safe(one.note), safe(one.to), tries, next_try, safe(one.failure))
    stdout_console().print(table)
