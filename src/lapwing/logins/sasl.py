"""What the client's lines of a SASL exchange say: who, and with what secret (RFC 4616, 2195, 2831, 5802, 7628)."""

import binascii
import re
from base64 import b64decode

import msgspec

_DIGEST_USER = re.compile(rb'username="([^"]*)"')
_SCRAM_USER = re.compile(rb"(?:[ny]|p=[^,]*),[^,]*,(?:m=[^,]*,)?n=([^,]*)")
_BEARER = re.compile(rb"(?:^|\x01)auth=Bearer +([^\x01]+)", re.IGNORECASE)
_XOAUTH2_USER = re.compile(rb"^user=([^\x01]*)")
_OAUTHBEARER_USER = re.compile(rb"^n,a=([^,]*),")


class Said(msgspec.Struct, frozen=True, gc=False):
    """Who and with what, as far as a line tells; the secret is clear text and must only be tagged."""

    username: str | None = None
    secret: bytes | None = None


def decode(line: str) -> bytes | None:
    """Return the bytes of a base64 line, None when it is none; `=` stands for nothing (RFC 4954, 4)."""
    if line == "=":
        return b""
    try:
        return b64decode(line.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None


def read(mechanism: str, data: bytes) -> Said:
    """Read one line of the client; `mechanism` is lower case and not `login`, whose lines mean nothing alone."""
    if mechanism == "plain":
        return _plain(data)
    if mechanism == "cram-md5":
        name, separator, _ = data.rpartition(b" ")
        return Said(_text(name)) if separator else Said()
    if mechanism in {"xoauth2", "oauthbearer"}:
        return _bearer(data)
    found = None
    if mechanism == "digest-md5":
        found = _DIGEST_USER.search(data)
    elif mechanism.startswith("scram-"):
        found = _SCRAM_USER.match(data)
    return Said(_text(found[1])) if found else Said()


def text_of(data: bytes) -> str:
    """Return a user name as text."""
    return data.decode("utf-8", "replace")


def _text(data: bytes) -> str | None:
    return text_of(data) or None


def _plain(data: bytes) -> Said:
    parts = data.split(b"\0")
    if len(parts) != 3:
        return Said()
    return Said(_text(parts[1] or parts[0]), parts[2] or None)


def _bearer(data: bytes) -> Said:
    user = _XOAUTH2_USER.search(data) or _OAUTHBEARER_USER.search(data)
    token = _BEARER.search(data)
    return Said(_text(user[1]) if user else None, token[1] if token else None)
