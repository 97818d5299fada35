"""Who signs in where, by which mechanism, and how it should end.

All names and passwords are invented, the passwords drawn from one seeded generator, so that every recording has the
same cast. Labels call a password by its name: `right`, `wrong-1`, `wrong-2`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tools.record_demo.network import FTP_V4

from .clients import (
    Act,
    curl,
    ftp,
    imap,
    ldap,
    openssl,
    person,
    pop3,
    smtp,
    ssh,
    ssh_asked_again,
    ssh_key,
    ssh_refused_key,
)
from .servers import MAIL_V4, MAIL_V6

HOME, OFFICE, CAFE, HOME_V6 = "198.51.100.20", "198.51.100.21", "203.0.113.30", "2001:db8:20::20"
STRANGER = "203.0.113.99"  # only ever guesses
SECRETIVE = "198.51.100.40"  # goes over to TLS before signing in
SOURCES = (HOME, OFFICE, CAFE, HOME_V6, STRANGER, SECRETIVE)

ACCOUNT, OTHER, NOBODY = "wanda.kranich", "emil.otter", "nobody.here"  # the last has no account anywhere
DOMAIN = "@example.com"

FILTERS = {
    "imap": "tcp port 143 or tcp port 993",
    "pop3": "tcp port 110 or tcp port 995",
    "smtp": "tcp port 587 or tcp port 465",
    "ftp": f"tcp and host {FTP_V4}",
    "ldap": "tcp port 389 or tcp port 636",
    "ssh": "tcp port 22",
}  # one capture each

_WORDS = ("amber", "basin", "cedar", "ember", "fable", "grove", "heath", "inlet", "juniper", "kettle", "lantern")
_DRAW = random.Random("recorded logins")


def _secret() -> str:
    return f"{_DRAW.choice(_WORDS)}-{_DRAW.randrange(1000, 10000)}-{_DRAW.choice(_WORDS)}"


SECRETS = {account: {"right": _secret(), "wrong-1": _secret(), "wrong-2": _secret()} for account in (ACCOUNT, OTHER)}
SECRETS[NOBODY] = {"wrong-1": _secret(), "wrong-2": _secret()}
KEEPS_SECRET = frozenset({"cram-md5", "digest-md5", "scram-sha-256", "apop", "publickey"})  # proved, never sent


@dataclass(frozen=True, slots=True)
class Visit:
    """One sitting of a client: its tries in order.

    `outcomes` are those planned, one per try; `channel` is `clear`, `starttls` or `tls`; `secrets` are names.
    """

    capture: str
    source: str
    client: str
    mechanism: str
    username: str
    secrets: tuple[str, ...]
    outcomes: tuple[str, ...]
    act: Act
    channel: str = "clear"


def _of(account: str, secrets: Sequence[str]) -> list[str]:
    return [SECRETS[account.removesuffix(DOMAIN)][name] for name in secrets]


def _visits() -> list[Visit]:
    return [*_imap(), *_pop3(), *_smtp(), *_ftp(), *_ldap(), *_ssh()]


def _visit(
    capture: str,
    source: str,
    client: str,
    mechanism: str,
    account: str,
    *secrets: str,
    act: Act,
    channel: str = "clear",
) -> Visit:
    outcomes = tuple("succeeded" if secret == "right" else "failed" for secret in secrets)
    return Visit(capture, source, client, mechanism, account, secrets, outcomes, act, channel)


def _curl(
    capture: str, url: str, source: str, mechanism: str, secret: str, *options: str, channel: str = "clear"
) -> Visit:
    """One try with curl, for the account it belongs to."""
    account = ACCOUNT if capture == "ftp" else ACCOUNT + DOMAIN
    asked = () if mechanism == "password" else ("--login-options", f"AUTH={mechanism.upper()}")
    act = curl(url, account, *_of(account, [secret]), *asked, *options)
    return _visit(capture, source, "curl", mechanism, account, secret, act=act, channel=channel)


_TLS = ("--ssl-reqd", "-k")
_MESSAGE = ("--mail-from", ACCOUNT + DOMAIN, "--mail-rcpt", f"orders{DOMAIN}", "-T", "@conf@/site/welcome.txt")
_SASL = ("plain", "login", "cram-md5")


def _imap() -> list[Visit]:
    def python(source: str, account: str, *secrets: str, mechanism: str = "LOGIN", host: str = MAIL_V4) -> Visit:
        name = "password" if mechanism == "LOGIN" else mechanism.lower()
        act = imap(account, _of(account, secrets), mechanism, host)
        return _visit("imap", source, "imaplib", name, account, *secrets, act=act)

    def typed(secret: str, port: int, *options: str, channel: str) -> Visit:
        act = openssl(port, own, *_of(own, [secret]), *options)
        return _visit("imap", SECRETIVE, "openssl s_client", "password", own, secret, act=act, channel=channel)

    own, other, url = ACCOUNT + DOMAIN, OTHER + DOMAIN, f"imap://{MAIL_V4}/"
    return [
        python(HOME, own, "right"),
        python(OFFICE, other, "wrong-1", "wrong-2", "right"),
        python(HOME_V6, own, "wrong-1", "right", host=MAIL_V6),
        *(_curl("imap", url, HOME, mechanism, "right") for mechanism in _SASL),
        *(_curl("imap", url, CAFE, mechanism, "wrong-1") for mechanism in _SASL),
        _curl("imap", url, HOME, "plain", "right", "--sasl-ir"),
        python(OFFICE, other, "wrong-1", "right", mechanism="CRAM-MD5"),
        python(OFFICE, other, "wrong-1", "right", mechanism="PLAIN"),
        python(STRANGER, NOBODY + DOMAIN, "wrong-1", "wrong-2"),
        _curl("imap", url, SECRETIVE, "plain", "right", *_TLS, channel="starttls"),
        typed("wrong-1", 143, "-starttls", "imap", channel="starttls"),
        typed("right", 993, channel="tls"),
    ]


def _pop3() -> list[Visit]:
    def python(source: str, account: str, *secrets: str, apop: bool = False, host: str = MAIL_V4) -> Visit:
        act = pop3(account, _of(account, secrets), apop=apop, host=host)
        return _visit("pop3", source, "poplib", "apop" if apop else "password", account, *secrets, act=act)

    own, other, url = ACCOUNT + DOMAIN, OTHER + DOMAIN, f"pop3://{MAIL_V4}/"
    return [
        python(HOME, own, "right"),
        python(OFFICE, other, "wrong-1", "wrong-2", "right"),
        python(HOME_V6, own, "wrong-1", "right", host=MAIL_V6),
        python(HOME, own, "right", apop=True),
        python(CAFE, own, "wrong-1", apop=True),
        *(_curl("pop3", url, HOME, mechanism, "right") for mechanism in _SASL),
        *(_curl("pop3", url, CAFE, mechanism, "wrong-1") for mechanism in _SASL),
        _curl("pop3", url, HOME, "plain", "right", "--sasl-ir"),
        python(STRANGER, NOBODY + DOMAIN, "wrong-1", "wrong-2"),
        _curl("pop3", url, SECRETIVE, "plain", "right", *_TLS, channel="starttls"),
        _curl("pop3", f"pop3s://{MAIL_V4}/", SECRETIVE, "plain", "wrong-1", "-k", channel="tls"),
    ]


def _smtp() -> list[Visit]:
    def python(source: str, account: str, mechanism: str, *secrets: str, starttls: bool = False) -> Visit:
        act = smtp(account, _of(account, secrets), mechanism, starttls=starttls)
        channel = "starttls" if starttls else "clear"
        return _visit("smtp", source, "smtplib", mechanism.lower(), account, *secrets, act=act, channel=channel)

    own, other, url = ACCOUNT + DOMAIN, OTHER + DOMAIN, f"smtp://{MAIL_V4}:587/desk.example.com"
    return [
        python(HOME, own, "PLAIN", "right"),
        python(HOME, own, "LOGIN", "right"),
        python(OFFICE, other, "LOGIN", "wrong-1", "wrong-2", "right"),
        python(OFFICE, other, "CRAM-MD5", "wrong-1", "right"),
        *(_curl("smtp", url, HOME, mechanism, "right", *_MESSAGE) for mechanism in _SASL),
        *(_curl("smtp", url, CAFE, mechanism, "wrong-1", *_MESSAGE) for mechanism in _SASL),
        python(STRANGER, NOBODY + DOMAIN, "PLAIN", "wrong-1", "wrong-2"),
        python(SECRETIVE, own, "PLAIN", "wrong-1", "right", starttls=True),
        _curl("smtp", url, SECRETIVE, "plain", "right", *_MESSAGE, *_TLS, channel="starttls"),
        _curl(
            "smtp", f"smtps://{MAIL_V4}/desk.example.com", SECRETIVE, "plain", "wrong-1", *_MESSAGE, "-k", channel="tls"
        ),
    ]


def _ftp() -> list[Visit]:
    def python(source: str, account: str, *secrets: str) -> Visit:
        return _visit("ftp", source, "ftplib", "password", account, *secrets, act=ftp(account, _of(account, secrets)))

    url = f"ftp://{FTP_V4}/orders.txt"
    guest = _visit("ftp", CAFE, "ftplib", "anonymous", "anonymous", act=ftp("anonymous", [f"guest{DOMAIN}"]))
    return [
        python(HOME, ACCOUNT, "right"),
        python(OFFICE, OTHER, "wrong-1", "wrong-2", "right"),
        _curl("ftp", url, HOME, "password", "right"),
        _curl("ftp", url, CAFE, "password", "wrong-1"),
        replace(guest, secrets=("guest",), outcomes=("succeeded",)),
        python(STRANGER, NOBODY, "wrong-1", "wrong-2"),
        _curl("ftp", url, SECRETIVE, "password", "right", *_TLS, channel="starttls"),
        _curl("ftp", url, SECRETIVE, "password", "wrong-1", *_TLS, channel="starttls"),
    ]


def _ldap() -> list[Visit]:
    def bind(
        source: str, account: str, secret: str, program: str = "ldapwhoami", *options: str, channel: str = "clear"
    ) -> Visit:
        scheme = "ldaps" if channel == "tls" else "ldap"
        act = ldap(program, "-x", "-D", person(account), *options, secret=_of(account, [secret])[0], scheme=scheme)
        return _visit("ldap", source, program, "simple", person(account), secret, act=act, channel=channel)

    def sasl(source: str, mechanism: str, secret: str) -> Visit:
        flags = ("-Q", "-N", "-O", "none", "-Y", mechanism.upper(), "-U", ACCOUNT)
        act = ldap("ldapwhoami", *flags, secret=_of(ACCOUNT, [secret])[0])
        return _visit("ldap", source, "ldapwhoami", mechanism, ACCOUNT, secret, act=act)

    nameless = _visit("ldap", CAFE, "ldapsearch", "anonymous", "", act=ldap("ldapsearch", "-x"))
    empty = ldap("ldapwhoami", "-x", "-D", person(ACCOUNT), secret="", code=53)
    unproved = _visit("ldap", CAFE, "ldapwhoami", "unauthenticated", person(ACCOUNT), act=empty)
    ways = ("plain", "cram-md5", "digest-md5", "scram-sha-256")
    return [
        bind(HOME, ACCOUNT, "right"),
        bind(HOME, ACCOUNT, "right", "ldapsearch"),
        bind(OFFICE, OTHER, "wrong-1"),
        bind(OFFICE, OTHER, "wrong-2", "ldapsearch"),
        bind(OFFICE, OTHER, "right"),
        bind(STRANGER, NOBODY, "wrong-1"),
        *(sasl(HOME, mechanism, "right") for mechanism in ways),
        *(sasl(CAFE, mechanism, "wrong-1") for mechanism in ways),
        replace(nameless, secrets=("none",), outcomes=("succeeded",)),
        replace(unproved, secrets=("none",), outcomes=("unknown",)),
        bind(SECRETIVE, ACCOUNT, "right", "ldapwhoami", "-ZZ", channel="starttls"),
        bind(SECRETIVE, ACCOUNT, "wrong-1", "ldapwhoami", "-ZZ", channel="starttls"),
        bind(SECRETIVE, ACCOUNT, "right", "ldapsearch", channel="tls"),
    ]


def _ssh() -> list[Visit]:
    def passwords(source: str, account: str, *secrets: str, again: bool = False) -> Visit:
        make = ssh_asked_again if again else ssh
        act = make(account, _of(account, secrets))
        return _visit("ssh", source, "ssh" if again else "sshpass", "password", account, *secrets, act=act)

    (right,) = _of(ACCOUNT, ["right"])
    return [
        passwords(HOME, ACCOUNT, "right"),
        passwords(OFFICE, OTHER, "wrong-1", "wrong-2", "right", again=True),
        passwords(CAFE, ACCOUNT, "wrong-1", "right"),
        passwords(STRANGER, NOBODY, "wrong-1", "wrong-2"),
        replace(
            _visit("ssh", HOME, "ssh", "publickey", ACCOUNT, act=ssh_key(ACCOUNT, "known_key")),
            secrets=("key",),
            outcomes=("succeeded",),
        ),
        replace(
            _visit("ssh", HOME, "sshpass", "publickey, then password", ACCOUNT, act=ssh_refused_key(ACCOUNT, right)),
            secrets=("other key", "right"),
            outcomes=("failed", "succeeded"),
        ),
    ]


VISITS = tuple(_visits())


def cast() -> tuple[dict[str, str], dict[str, str]]:
    """The accounts of the mail servers, and those of the others, with their passwords."""
    people = {account: SECRETS[account]["right"] for account in (ACCOUNT, OTHER)}
    return {account + DOMAIN: secret for account, secret in people.items()}, people
