"""What one client does at one server: real programs and Python's own protocol clients.

Every act runs in a thread that lives in the namespace of its client address and returns what the client itself
was told, one answer per try: True when it was let in.
"""

from __future__ import annotations

import ftplib
import imaplib
import poplib
import smtplib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from tools.record_demo.clients import Room
from tools.record_demo.network import FTP_V4, LDAP_V4, SSH_V4

from .servers import MAIL_V4, SUFFIX

Act = Callable[[Room, Path], list[bool]]  # gets scratch space and the folder of the servers' configuration

_HELLO = "desk.example.com"  # what clients call themselves
_TIMEOUT_S = 30.0
_CURL = ("curl", "-s", "-o", "/dev/null", "--max-time", "30")


def _plain(account: str, secret: str, _challenge: bytes) -> bytes:
    return f"\0{account}\0{secret}".encode()


def imap(account: str, secrets: Sequence[str], mechanism: str = "LOGIN", host: str = MAIL_V4) -> Act:
    """Python's imaplib: one connection, one try per secret."""

    def act(_room: Room, _conf: Path) -> list[bool]:
        client = imaplib.IMAP4(host, timeout=_TIMEOUT_S)
        got: list[bool] = []
        for secret in secrets:
            try:
                if mechanism == "CRAM-MD5":
                    client.login_cram_md5(account, secret)
                elif mechanism == "PLAIN":
                    client.authenticate("PLAIN", partial(_plain, account, secret))
                else:
                    client.login(account, secret)
                got.append(True)
            except imaplib.IMAP4.error:
                got.append(False)
        if got[-1]:
            client.select()
        client.logout()
        return got

    return act


def pop3(account: str, secrets: Sequence[str], *, apop: bool = False, host: str = MAIL_V4) -> Act:
    """Python's poplib: USER and PASS, or APOP; one connection, one try per secret."""

    def act(_room: Room, _conf: Path) -> list[bool]:
        client = poplib.POP3(host, timeout=_TIMEOUT_S)
        got: list[bool] = []
        for secret in secrets:
            try:
                if apop:
                    client.apop(account, secret)
                else:
                    client.user(account)
                    client.pass_(secret)
                got.append(True)
            except poplib.error_proto:
                got.append(False)
        if got[-1]:
            client.stat()
        client.quit()
        return got

    return act


def smtp(account: str, secrets: Sequence[str], mechanism: str, *, starttls: bool = False) -> Act:
    """Python's smtplib at the submission port: one connection, one try per secret, one message when let in."""

    def act(_room: Room, _conf: Path) -> list[bool]:
        client = smtplib.SMTP(MAIL_V4, 587, local_hostname=_HELLO, timeout=_TIMEOUT_S)
        client.ehlo()
        if starttls:
            client.starttls()
            client.ehlo()
        methods: dict[str, Any] = {
            "PLAIN": client.auth_plain,
            "LOGIN": client.auth_login,
            "CRAM-MD5": client.auth_cram_md5,
        }
        got: list[bool] = []
        for secret in secrets:
            client.user, client.password = account, secret
            try:
                client.auth(mechanism, methods[mechanism], initial_response_ok=mechanism != "LOGIN")
                got.append(True)
            except smtplib.SMTPAuthenticationError:
                got.append(False)
        if got[-1]:
            text = f"From: {account}\r\nTo: orders@example.com\r\nSubject: order\r\n\r\nTwo lamps, please.\r\n"
            client.sendmail(account, ["orders@example.com"], text)
        client.quit()
        return got

    return act


def ftp(account: str, secrets: Sequence[str]) -> Act:
    """Python's ftplib: one connection, one try per secret, a listing when let in."""

    def act(_room: Room, _conf: Path) -> list[bool]:
        client = ftplib.FTP(timeout=_TIMEOUT_S)
        client.connect(FTP_V4)
        got: list[bool] = []
        for secret in secrets:
            try:
                client.login(account, secret)
                got.append(True)
            except ftplib.error_perm:
                got.append(False)
        if got[-1]:
            client.retrlines("LIST", lambda _line: None)
        with suppress(*ftplib.all_errors):
            client.quit()
        client.close()
        return got

    return act


def curl(url: str, account: str, secret: str, *options: str) -> Act:
    """One try with curl, which says 67 when a login was denied; RuntimeError when it failed for another reason.

    `@conf@` in an option is the folder of the servers' configuration.
    """

    def act(room: Room, conf: Path) -> list[bool]:
        said = (option.replace("@conf@", str(conf)) for option in options)
        code = room.run(*_CURL, *said, "-u", f"{account}:{secret}", url)
        if code not in (0, 67):
            raise RuntimeError(f"curl ended with {code} at {url}")
        return [code == 0]

    return act


def openssl(port: int, account: str, secret: str, *options: str) -> Act:
    """LOGIN of IMAP typed into `openssl s_client`; the answer is read from what it printed."""

    def act(room: Room, _conf: Path) -> list[bool]:
        words = room.file("typed", [f"a1 LOGIN {account} {secret}", "a2 LOGOUT"])
        talk = f"(sleep 1; cat {words}; sleep 3) | timeout 20 openssl s_client -quiet -crlf "
        room.run("sh", "-c", talk + " ".join([*options, "-connect", f"{MAIL_V4}:{port}"]))
        return ["a1 OK" in (room.folder / "output").read_text(errors="replace")]

    return act


def person(account: str) -> str:
    """The distinguished name of somebody."""
    return f"uid={account},ou=people,{SUFFIX}"


def ldap(program: str, *options: str, secret: str | None = None, scheme: str = "ldap", code: int = 49) -> Act:
    """One bind with one of the programs of ldap-utils; refused when it ends with `code` (its exit code is LDAP's)."""

    def act(room: Room, _conf: Path) -> list[bool]:
        flags = [] if secret is None else ["-w", secret]
        wanted = ["-b", SUFFIX, "-s", "base"] if program == "ldapsearch" else []
        base = (program, "-H", f"{scheme}://{LDAP_V4}", "-o", "nettimeout=20")
        said = room.run(*base, *options, *flags, *wanted, environment={"LDAPTLS_REQCERT": "never"})
        if said not in (0, code):
            raise RuntimeError(f"{program} {options} ended with {said}: {(room.folder / 'output').read_text()}")
        return [said == 0]

    return act


_SSH = ("-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")


def ssh(account: str, secrets: Sequence[str]) -> Act:
    """OpenSSH's client with sshpass, one connection per secret."""

    def act(room: Room, _conf: Path) -> list[bool]:
        got: list[bool] = []
        for secret in secrets:
            options = ("-o", "PreferredAuthentications=password", "-o", "NumberOfPasswordPrompts=1")
            command = ("sshpass", "-e", "ssh", *_SSH, *options, f"{account}@{SSH_V4}", "cat orders.txt")
            got.append(room.run(*command, environment={"SSHPASS": secret}) == 0)
            time.sleep(0.2)
        return got

    return act


def ssh_asked_again(account: str, secrets: Sequence[str]) -> Act:
    """The same, all secrets in one connection: the client asks again after a refusal."""

    def act(room: Room, _conf: Path) -> list[bool]:
        answers = room.file("answers", secrets)
        askpass = room.file("askpass", ["#!/bin/sh", f"head -n 1 {answers}", f"sed -i 1d {answers}"], mode=0o700)
        environment = {"SSH_ASKPASS": askpass, "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
        options = ("-o", "PreferredAuthentications=password")
        command = ("ssh", *_SSH, *options, f"{account}@{SSH_V4}", "cat orders.txt")
        entered = room.run(*command, environment=environment) == 0
        return [*[False] * (len(secrets) - 1), entered]

    return act


def ssh_key(account: str, name: str) -> Act:
    """OpenSSH's client with a key."""

    def act(room: Room, conf: Path) -> list[bool]:
        with_key = ("-o", "IdentitiesOnly=yes", "-i", str(conf / name))
        return [room.run("ssh", *_SSH, *with_key, f"{account}@{SSH_V4}", "cat orders.txt") == 0]

    return act


def ssh_refused_key(account: str, secret: str) -> Act:
    """The same with a key that the server does not know, and then with a password."""

    def act(room: Room, conf: Path) -> list[bool]:
        with_key = ("-o", "IdentitiesOnly=yes", "-i", str(conf / "other_key"))
        command = ("sshpass", "-e", "ssh", *_SSH, *with_key, f"{account}@{SSH_V4}", "cat orders.txt")
        return [False, room.run(*command, environment={"SSHPASS": secret}) == 0]

    return act
