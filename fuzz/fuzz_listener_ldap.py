"""Fuzz target: the collector's LDAP door."""

from fuzz.listeners import Target
from lapwing.callbacks.responders import LdapResponder

BIND = b"\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0"
SEARCH = bytes.fromhex("3025020102632004057567323d780a01020a0100020100020100010100870b6f626a656374436c6173733000")
SEEDS = (
    b"\0" + BIND + SEARCH,
    b"\xfe" + BIND + b"\x30\5\2\1\3\x42\0",
    b"\1\x30\x1d\2\1\1\x77\x18\x80\x161.3.6.1.4.1.1466.20037",
)
run = Target(lambda peer, now_ns, _: LdapResponder(peer, now_ns, starttls=True), BIND[:5], BIND[5:]).run
