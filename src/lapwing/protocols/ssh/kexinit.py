"""SSH_MSG_KEXINIT (RFC 4253, 7.1) and the fingerprints made of it."""

from functools import lru_cache
from hashlib import md5
from typing import NamedTuple

from lapwing.events import Side, WireError
from lapwing.events.messages import SshKexInit

COOKIE_BYTES = 16
MAX_REMEMBERED = 64  # offers: a program makes the same one every time, all but the cookie
MAX_REMEMBERED_BYTES = 4 * 1024  # an offer that is longer is read anew each time
NAME_LISTS = 10  # the last two are languages


class Agreed(NamedTuple):
    """The algorithms of one direction that both sides will use, empty where they share none."""

    cipher: str
    mac: str
    compression: str


def parse_kexinit(payload: bytes, side: Side) -> SshKexInit:
    """Read the payload of a KEXINIT packet, its type byte included; WireError when it does not fit."""
    offer = payload[1 + COOKIE_BYTES :]
    return (_read_again if len(offer) <= MAX_REMEMBERED_BYTES else _read)(offer, side)


def _read(payload: bytes, side: Side) -> SshKexInit:
    position = 0
    lists: list[str] = []
    while len(lists) < NAME_LISTS:
        start = position + 4
        position = start + int.from_bytes(payload[position:start], "big")
        if start > len(payload) or position > len(payload):
            raise WireError("a name-list of KEXINIT is longer than its packet")
        lists.append(payload[start:position].decode("latin-1"))
    # HASSH (BSD): key exchange, ciphers, MACs and compression as the sender would use them for its own direction.
    own = lists[2:8:2] if side is Side.CLIENT else lists[3:8:2]
    text = ";".join([lists[0], *own])
    hassh = md5(text.encode("latin-1"), usedforsecurity=False).hexdigest()
    names = [one.split(",") if one else [] for one in lists]
    return SshKexInit(
        kex_algorithms=names[0],
        host_key_algorithms=names[1],
        ciphers_client_to_server=names[2],
        ciphers_server_to_client=names[3],
        macs_client_to_server=names[4],
        macs_server_to_client=names[5],
        compression_client_to_server=names[6],
        compression_server_to_client=names[7],
        hassh=hassh,
    )


_read_again = lru_cache(MAX_REMEMBERED)(_read)


def agree(client: SshKexInit, server: SshKexInit, sender: Side) -> Agreed:
    """Choose the algorithms for what `sender` sends: the client's first that the server has too."""
    if sender is Side.CLIENT:
        return Agreed(
            _first(client.ciphers_client_to_server, server.ciphers_client_to_server),
            _first(client.macs_client_to_server, server.macs_client_to_server),
            _first(client.compression_client_to_server, server.compression_client_to_server),
        )
    return Agreed(
        _first(client.ciphers_server_to_client, server.ciphers_server_to_client),
        _first(client.macs_server_to_client, server.macs_server_to_client),
        _first(client.compression_server_to_client, server.compression_server_to_client),
    )


def _first(wanted: list[str], offered: list[str]) -> str:
    if wanted and wanted[0] in offered:
        return wanted[0]
    known = set(offered)
    return next((name for name in wanted if name in known), "")
