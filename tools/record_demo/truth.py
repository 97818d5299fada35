"""What really happened, by the servers' own records; the labels count from here and from nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_VSFTPD = re.compile(r'\[(?P<account>[^\]]*)\] (?P<outcome>OK|FAIL) LOGIN: Client "(?P<source>[^"]+)"')
_SSHD = re.compile(
    r"(?P<outcome>Accepted|Failed) password for (?:invalid user )?(?P<account>\S*) from (?P<source>\S+) port"
)
_EXIM_FAILED = re.compile(
    r"(?P<mechanism>plain|login) authenticator failed for .*?"
    r"\[(?P<source>[^\]]+)\]: 535 .*set_id=(?P<account>[^)]*)\)"
)
_EXIM_OK = re.compile(r" <= .* H=.*?\[(?P<source>[^\]]+)\].* A=(?P<mechanism>plain|login):(?P<account>\S+)")


@dataclass(frozen=True, slots=True)
class Login:
    """One login attempt as its server saw it."""

    source: str
    protocol: str
    mechanism: str
    account: str
    succeeded: bool


def logins(folder: Path) -> list[Login]:
    """Every attempt recorded in the folder of server logs; bearer requests come with an empty account."""
    return [*_web(folder), *_ftp(folder), *_ssh(folder), *_smtp(folder)]


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def _web(folder: Path) -> Iterator[Login]:
    for line in map(json.loads, _lines(folder / "web.ndjson")):
        yield Login(line["source"], "http", line["mechanism"], line["account"], line["succeeded"])


def _ftp(folder: Path) -> Iterator[Login]:
    for found in filter(None, map(_VSFTPD.search, _lines(folder / "vsftpd.log"))):
        yield Login(
            found["source"].removeprefix("::ffff:"),
            "ftp",
            "password",
            found["account"],
            found["outcome"] == "OK",
        )


def _ssh(folder: Path) -> Iterator[Login]:
    for found in filter(None, map(_SSHD.search, _lines(folder / "sshd.log"))):
        yield Login(found["source"], "ssh", "password", found["account"], found["outcome"] == "Accepted")


def _smtp(folder: Path) -> Iterator[Login]:
    """Every client let in sends exactly one message, so a received message stands for its login."""
    for line in _lines(folder / "exim-main.log"):
        for pattern, succeeded in ((_EXIM_FAILED, False), (_EXIM_OK, True)):
            if found := pattern.search(line):
                yield Login(found["source"], "smtp", found["mechanism"], found["account"], succeeded)
