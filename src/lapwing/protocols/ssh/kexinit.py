"""SSH_MSG_KEXINIT (RFC 4253, 7.1) and the fingerprints made of it."""

from functools import lru_cache
from hashlib import md5
from typing import NamedTuple

from lapwing.events import Side, WireError
from lapwing.events.messages import SshKexInit

COOKIE_BYTES = 16
NAME_LISTS = 10  # the last two are languages
MAX_REMEMBERED = 256  # offers: one of each version of each program
MAX_REMEMBERED_BYTES = 4096  # of an offer; real ones have 1 to 2 KiB


class Agreed(NamedTuple):
    """The algorithms of one direction that both sides will use, empty where they share none."""

    cipher: str
    mac: str
    compression: str


def offer_of(payload: bytes) -> bytes:
    """Return what of the payload of a KEXINIT every session of one program has alike: all but type and cookie."""
    return payload[1 + COOKIE_BYTES :]


def read_offer(offer: bytes, *, of_client: bool) -> SshKexInit:
    """Read the lists of names; programs send the same ones each time, so they are remembered. Raises WireError."""
    return (_remembered if len(offer) <= MAX_REMEMBERED_BYTES else _read_offer)(offer, of_client)


def _read_offer(offer: bytes, of_client: bool) -> SshKexInit:
    position = 0
    lists: list[str] = []
    while len(lists) < NAME_LISTS:
        start = position + 4
        position = start + int.from_bytes(offer[position:start], "big")
        if start > len(offer) or position > len(offer):
            raise WireError("a name-list of KEXINIT is longer than its packet")
        lists.append(offer[start:position].decode("latin-1"))
    # HASSH (BSD): key exchange, ciphers, MACs and compression as the sender would use them for its own direction.
    own = lists[2:8:2] if of_client else lists[3:8:2]
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


_remembered = lru_cache(maxsize=MAX_REMEMBERED)(_read_offer)


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
