"""What really happened, by the servers' own records: how many tries of each source ended how."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from .plan import Visit

_SERVERS = {"imap": "mail", "pop3": "mail", "smtp": "mail"}  # one user database, one record of failures
_MAIL_IN = re.compile(r"-login: Info: Login: .* rip=(?P<source>[^,]+),")
_MAIL_FAILED = re.compile(
    r"auth: Info: [\w-]+\([^,]*,(?P<source>[^,)]+)[^)]*\): (?:.*Password mismatch|unknown user)", re.IGNORECASE
)
_APOP_FAILED = re.compile(r"auth failed, 1 attempts .* method=APOP, rip=(?P<source>[^,]+),")  # its only record
_SUBMITTED = re.compile(r"client=\S*\[(?P<source>[^\]]+)\], sasl_method=")
_FTP = re.compile(r'\] (?P<outcome>OK|FAIL) LOGIN: Client "(?P<source>[^"]+)"')
_SSH = re.compile(r"^(?:Accepted \w+|(?P<failed>Failed \w+)) for .* from (?P<source>\S+) port")
_LDAP_FROM = re.compile(r" conn=(?P<number>\d+) .*ACCEPT from IP=(?P<source>[\d.]+):")
_LDAP_BOUND = re.compile(r" conn=(?P<number>\d+) .*RESULT tag=97 err=(?P<code>\d+)")
_LDAP_OUTCOMES = {"0": "succeeded", "49": "failed", "53": "unknown"}  # 14 is a step on the way

_Try = tuple[str, str, str]  # server, source, outcome


def disagreements(visits: Sequence[Visit], folder: Path) -> list[str]:
    """Where the records differ from the plan, a line each."""
    planned: Counter[_Try] = Counter()
    for visit in visits:
        server = _SERVERS.get(visit.capture, visit.capture)
        planned.update((server, visit.source, outcome) for outcome in visit.outcomes)
    recorded = Counter([*_mail(folder), *_simple(folder), *_ldap(folder)])
    keys = sorted({key for key in planned | recorded if planned[key] != recorded[key]})
    return [f"{' '.join(key)}: planned {planned[key]}, recorded {recorded[key]}" for key in keys]


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines()


def _mail(folder: Path) -> Iterator[_Try]:
    for line in _lines(folder / "dovecot.log"):
        if found := _MAIL_IN.search(line):
            yield "mail", found["source"], "succeeded"
        elif found := _MAIL_FAILED.search(line) or _APOP_FAILED.search(line):
            yield "mail", found["source"], "failed"
    for line in _lines(folder / "postfix.log"):
        if found := _SUBMITTED.search(line):  # every client let in sends exactly one message
            yield "mail", found["source"], "succeeded"


def _simple(folder: Path) -> Iterator[_Try]:
    for line in _lines(folder / "vsftpd.log"):
        if found := _FTP.search(line):
            yield "ftp", found["source"], "succeeded" if found["outcome"] == "OK" else "failed"
    for line in _lines(folder / "sshd.log"):
        if found := _SSH.search(line):
            yield "ssh", found["source"], "failed" if found["failed"] else "succeeded"


def _ldap(folder: Path) -> Iterator[_Try]:
    sources: dict[str, str] = {}
    for line in _lines(folder / "slapd.log"):
        if found := _LDAP_FROM.search(line):
            sources[found["number"]] = found["source"]
        elif (found := _LDAP_BOUND.search(line)) and found["code"] in _LDAP_OUTCOMES:
            yield "ldap", sources[found["number"]], _LDAP_OUTCOMES[found["code"]]
