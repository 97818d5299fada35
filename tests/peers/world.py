"""A small world with the collector in it: a network of its own, on the usual ports, and it is the world's DNS.

Programs are started inside and know nothing of it: they ask for names as they always do, and reach the collector.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lapwing.app.planted import Made, Planting, create, history, planted
from lapwing.callbacks import Interaction, protocol_of
from lapwing.callbacks.planting import KINDS, Wishes
from tests.patience import ENOUGH_S

DOMAIN = "oast.example.com"
SITE = f"www.{DOMAIN}"  # of the planter; its pages are shown by a server beside the collector
TRUSTED_HTTPS = ("kubeconfig", "cloud-credentials")  # their users are told not to look at certificates, or may be
ENTER = "ip link set lo up && mount --bind {resolver} /etc/resolv.conf && exec {program}"


def why_no_world() -> str | None:
    """What is missing for a network of one's own; None when nothing is."""
    missing = [name for name in ("unshare", "nsenter", "ip", "mount") if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} are not installed"
    made = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, check=False)
    return f"namespaces cannot be made here: {made.stderr.decode().strip()}" if made.returncode else None


WHY_NO_WORLD = why_no_world()


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where a world cannot be made, or a program is not installed."""
    missing = [one for one in programs if shutil.which(one) is None]
    reason = WHY_NO_WORLD or f"not installed: {', '.join(missing)}"
    return pytest.mark.skipif(WHY_NO_WORLD is not None or bool(missing), reason=reason)


class World:
    """The collector, everything that is planted, and the way in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = str(folder / "store.db")
        self.made: dict[str, Made] = {}
        self._pid = 0

    def plant(self, kind: str) -> None:
        """Plant a thing and keep its file, if it is one, by its kind's name."""
        wishes = Wishes(target=f"http://{SITE}/after", site=SITE, title="Draft")
        scheme = "https" if kind in TRUSTED_HTTPS else "http"
        wanted = Planting(kind, f"note of {kind}", domain=DOMAIN, scheme=scheme, wishes=wishes)
        made = asyncio.run(create(self.store, wanted))
        self.made[kind] = made
        if made.artefact.data:
            self.file(kind).write_bytes(made.artefact.data)

    def file(self, kind: str) -> Path:
        """The file of a planted thing."""
        place = self.folder / kind
        place.mkdir(exist_ok=True)
        return place / (self.made[kind].artefact.filename or "thing")

    def text(self, kind: str) -> str:
        """What to paste."""
        return self.made[kind].artefact.text

    def name(self, kind: str) -> str:
        """A token's host name."""
        return f"{self.made[kind].token.name}.{DOMAIN}"

    @contextmanager
    def alive(self) -> Iterator["World"]:
        """The collector runs."""
        resolver = self.folder / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\n")
        serve = f"{sys.executable} -m lapwing callbacks serve -d {DOMAIN} --ip 127.0.0.1 -q"
        program = f"{serve} --store {self.store} --lab {self.folder}/lab"
        inside = ENTER.format(resolver=resolver, program=program)
        command = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", inside]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            self._pid = process.pid
            try:
                assert process.stderr is not None
                said = []
                for line in process.stderr:  # one line a listener, the control interface last
                    said.append(line)
                    if "control" in line:
                        break
                assert process.poll() is None, "".join(said)
                yield self
            finally:
                process.terminate()

    def command(self, *arguments: str | Path) -> list[str]:
        """A command line that runs inside."""
        return ["nsenter", "--net", "--mount", "-t", str(self._pid), *map(str, arguments)]

    def run(self, *arguments: str | Path, stdin: str = "", **environ: str | Path) -> "subprocess.CompletedProcess[str]":
        """A program that runs to its end inside; how it ends is for the caller to judge."""
        return subprocess.run(
            self.command(*arguments),
            env={**os.environ, "HOME": str(self.folder), **{name: str(value) for name, value in environ.items()}},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=ENOUGH_S,
            check=False,
        )

    @contextmanager
    def beside(self, *arguments: str | Path, user: str | None = None) -> Iterator["subprocess.Popen[str]"]:
        """A server that runs inside meanwhile."""
        command = self.command(*arguments)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, user=user, cwd="/"
        ) as process:
            try:
                yield process
            finally:
                process.terminate()
                process.communicate(timeout=ENOUGH_S)

    def hits(self, kind: str) -> list[Interaction]:
        """What reached a token, oldest first."""
        (token,) = [one for one in asyncio.run(planted(self.store)) if one.name == self.made[kind].token.name]
        return [interaction for interaction, _ in asyncio.run(history(self.store, token))]

    def protocols(self, kind: str) -> set[str]:
        """By which protocols a token was reached."""
        return {protocol_of(one) for one in self.hits(kind)}

    def until(self, right: Callable[[], bool]) -> None:
        """Wait until something is so."""
        end = time.monotonic() + ENOUGH_S
        while not right():
            assert time.monotonic() < end


def planted_world(folder: Path, kinds: Sequence[str] = tuple(KINDS)) -> World:
    """A world before its beginning, with one thing of every kind in it."""
    world = World(folder)
    for kind in kinds:
        world.plant(kind)
    return world
