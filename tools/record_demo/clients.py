"""What one visit does: the clients of ordinary people and the tools of attackers.

Every function here runs in a thread that already lives in the namespace of its client address,
talks to the real daemons, and returns when the visit is over.
People are Python's own protocol clients, curl, OpenSSH and chromium (`browser.py`);
attackers are hydra, medusa, ncrack and curl.
"""

from __future__ import annotations

import ftplib
import http.client
import io
import json
import os
import smtplib
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from .network import FTP_V4, SMTP_V4, SSH_V4, WEB_V4

SITE = "shop.example.com"
THINK_S = 1.2  # between a refused and the next password; real time, kept in the capture
TOOL_TIMEOUT_S = 120.0  # no visit lasts longer

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Room:
    """Scratch space of one visit: word lists, askpass answers, restore files of the tools."""

    folder: Path

    def file(self, name: str, lines: Iterable[str], *, mode: int = 0o600) -> str:
        """Write one scratch file and return its path."""
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        path.chmod(mode)
        return str(path)

    def run(self, *command: str, environment: dict[str, str] | None = None, typed: str = "") -> int:
        """Run one real client to its end, in this folder and without the caller's environment; returns its exit code.

        `typed` is what it reads from its standard input.
        """
        base = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder), "LC_ALL": "C"}
        with (self.folder / "output").open("ab") as output:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=base | (environment or {}),
                input=typed.encode(),
                stdout=output,
                stderr=output,
                timeout=TOOL_TIMEOUT_S,
                check=False,
                start_new_session=True,
            )
        return done.returncode


Act = Callable[[Room], None]


class _Answer(NamedTuple):
    """What of an answer a client acts on; no cookie is an empty one."""

    body: str
    cookie: str


def _request(
    connection: http.client.HTTPConnection, method: str, path: str, headers: Headers, body: str = ""
) -> _Answer:
    """One request with exactly these headers in this order."""
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", SITE)
    for name, value in headers:
        connection.putheader(name, value)
    if body:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body.encode() if body else None)
    answer = connection.getresponse()
    cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
    return _Answer(answer.read().decode(errors="replace"), cookie)


def web_pages(*, agent: Headers, pages: Sequence[str], server: str = WEB_V4) -> Act:
    """Read pages over one connection; no login."""

    def act(_room: Room) -> None:
        connection = http.client.HTTPConnection(server, 80, timeout=20)
        for page in pages:
            _request(connection, "GET", page, agent)
            time.sleep(0.15)
        connection.close()

    return act


def web_form(*, agent: Headers, account: str, passwords: Sequence[str], server: str = WEB_V4) -> Act:
    """Sign in through the form as a browser does: pages, form, one post per password, the account page."""

    def act(_room: Room) -> None:
        connection = http.client.HTTPConnection(server, 80, timeout=20)
        for page in ("/", "/style.css", "/login"):
            _request(connection, "GET", page, agent)
        form = (*agent, ("Origin", f"http://{SITE}"), ("Content-Type", "application/x-www-form-urlencoded"))
        cookie = ""
        for number, password in enumerate(passwords):
            time.sleep(THINK_S if number else 0.3)
            fields = urlencode({"username": account, "password": password})
            cookie = _request(connection, "POST", "/login", form, fields).cookie
        if cookie:
            _request(connection, "GET", "/account", (*agent, ("Cookie", cookie)))
        connection.close()

    return act


def web_app(*, agent: Headers, account: str, passwords: Sequence[str], server: str = WEB_V4) -> Act:
    """Sign in through the JSON interface as an app does, then use the token."""

    def act(_room: Room) -> None:
        connection = http.client.HTTPConnection(server, 80, timeout=20)
        headers = (*agent, ("Content-Type", "application/json"))
        body = ""
        for number, password in enumerate(passwords):
            time.sleep(THINK_S if number else 0)
            sent = json.dumps({"username": account, "password": password})
            body = _request(connection, "POST", "/api/login", headers, sent).body
        token = json.loads(body).get("token")
        if token:
            _request(connection, "GET", "/api/me", (*agent, ("Authorization", f"Bearer {token}")))
        connection.close()

    return act


def report(*, account: str, password: str) -> Act:
    """Fetch a Basic-protected report with curl: challenged without credentials first, then let in."""

    def act(room: Room) -> None:
        url = f"http://{SITE}/reports/monthly.csv"
        room.run("curl", "-s", *_PIN, "--anyauth", "-u", f"{account}:{password}", "-o", "/dev/null", url)

    return act


def ftp(*, account: str, passwords: Sequence[str], passive: bool = True) -> Act:
    """Sign in (again after a refusal, on the same connection), list the folder and fetch a file."""

    def act(_room: Room) -> None:
        client = ftplib.FTP(timeout=20)
        client.connect(FTP_V4)
        client.set_pasv(passive)
        for number, password in enumerate(passwords):
            time.sleep(THINK_S if number else 0)
            with suppress(ftplib.error_perm):
                client.login(account, password)
        with suppress(ftplib.error_perm):
            client.retrlines("LIST", lambda _line: None)
            client.retrbinary("RETR orders.txt", io.BytesIO().write)
            client.quit()
        client.close()

    return act


def smtp(*, account: str, passwords: Sequence[str], mechanism: str = "PLAIN") -> Act:
    """Sign in with AUTH PLAIN or LOGIN and send one short message."""

    def act(_room: Room) -> None:
        client = smtplib.SMTP(SMTP_V4, local_hostname="desk.example.com", timeout=20)
        client.ehlo()
        method = client.auth_plain if mechanism == "PLAIN" else client.auth_login
        for number, password in enumerate(passwords):
            time.sleep(THINK_S if number else 0)
            client.user, client.password = account, password
            with suppress(smtplib.SMTPAuthenticationError):
                client.auth(mechanism, method)
        message = f"From: {account}\r\nTo: orders@example.com\r\nSubject: order\r\n\r\nTwo lamps, please.\r\n"
        client.sendmail(account, ["orders@example.com"], message)
        client.quit()

    return act


def ssh(*, account: str, passwords: Sequence[str], command: str = "ls -l; cat orders.txt") -> Act:
    """Sign in with OpenSSH's client, which asks once more after a refusal, and run a command."""

    def act(room: Room) -> None:
        answers = room.file("answers", passwords)
        lines = ["#!/bin/sh", "sleep 0.6", f"head -n 1 {answers}", f"sed -i 1d {answers}"]
        askpass = room.file("askpass", lines, mode=0o700)
        environment = {"SSH_ASKPASS": askpass, "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
        options = (
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "PreferredAuthentications=password",
        )
        flags = [word for option in options for word in ("-o", option)]
        room.run("ssh", "-F", "none", *flags, f"{account}@{SSH_V4}", command, environment=environment)

    return act


_PIN = ("--resolve", f"{SITE}:80:{WEB_V4},[2001:db8:10::10]")


def curl_form(*, flags: Sequence[str], account: str, password: str) -> Act:
    """One post of the form with curl, following to the account page when let in."""

    def act(room: Room) -> None:
        fields = ["--data-urlencode", f"username={account}", "--data-urlencode", f"password={password}"]
        room.run("curl", "-s", "-L", "-b", "", *_PIN, *flags, *fields, "-o", "/dev/null", f"http://{SITE}/login")

    return act


def curl_json(*, flags: Sequence[str], account: str, password: str) -> Act:
    """One post of the JSON login with curl."""

    def act(room: Room) -> None:
        body = json.dumps({"username": account, "password": password})
        headers = ["-H", "Content-Type: application/json", "--data-binary", body]
        room.run("curl", "-s", *_PIN, *flags, *headers, "-o", "/dev/null", f"http://{SITE}/api/login")

    return act


_REFUSED = "was not accepted"  # the words of the refusal page by which hydra tells a failure
_HYDRA_FORM = f"/login:username=^USER^&password=^PASS^:H=Host\\: {SITE}:F={_REFUSED}"


def hydra_pairs(*, pairs: Sequence[tuple[str, str]], tasks: int) -> Act:
    """Try account:password pairs on the web form, each once."""

    def act(room: Room) -> None:
        words = room.file("pairs", (":".join(pair) for pair in pairs))
        room.run("hydra", "-I", "-t", str(tasks), "-C", words, WEB_V4, "http-post-form", _HYDRA_FORM)

    return act


def hydra_spray(*, accounts: Sequence[str], password: str, tasks: int) -> Act:
    """Try one password on many accounts of the web form."""

    def act(room: Room) -> None:
        names = room.file("names", accounts)
        target = (WEB_V4, "http-post-form", _HYDRA_FORM)
        room.run("hydra", "-I", "-t", str(tasks), "-L", names, "-p", password, *target)

    return act


def hydra_guess(*, url: str, account: str, passwords: Sequence[str], tasks: int) -> Act:
    """Try many passwords on one account of any service hydra speaks, named by URL."""

    def act(room: Room) -> None:
        words = room.file("words", passwords)
        room.run("hydra", "-I", "-t", str(tasks), "-l", account, "-P", words, url)

    return act


def medusa_guess(*, module: str, host: str, account: str, passwords: Sequence[str]) -> Act:
    """The same with medusa, one connection after the other."""

    def act(room: Room) -> None:
        words = room.file("words", passwords)
        room.run("medusa", "-h", host, "-u", account, "-P", words, "-M", module, "-t", "1")

    return act


def ncrack_guess(*, account: str, passwords: Sequence[str]) -> Act:
    """The same against SSH with ncrack."""

    def act(room: Room) -> None:
        words = room.file("words", passwords)
        room.run("ncrack", "--user", account, "-P", words, "-g", "CL=4", f"ssh://{SSH_V4}:22")

    return act


def clean_environment() -> None:
    """Drop proxy settings that Python's and curl's clients would follow."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
