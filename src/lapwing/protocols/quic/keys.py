"""Keys of Initial packets, which anybody who sees the first one can derive (RFC 9001, 5; RFC 9369, 3.3)."""

import hmac
from typing import NamedTuple

from lapwing.events import WireError
from lapwing.protocols.quic.packets import VERSION_2, Packet

_SALT_1 = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")  # also of drafts 33 and 34
_SALT_2 = bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9")
_SALT_DRAFT_29 = bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899")  # of drafts 29 to 32
_SALT_DRAFT_23 = bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502")  # of drafts 23 to 28

_SAMPLE_BYTES = 16
_MAX_NUMBER_BYTES = 4


class Keys(NamedTuple):
    """Keys of one direction: of the packets, their nonces, and their headers."""

    key: bytes
    iv: bytes
    header: bytes


def derive(version: int, destination_id: bytes) -> tuple[Keys, Keys]:
    """Return the keys of client and server for the id that the client invented."""
    secret = hmac.digest(_salt(version), destination_id, "sha256")
    return _keys(version, _expand(secret, "client in", 32)), _keys(version, _expand(secret, "server in", 32))


def _salt(version: int) -> bytes:
    if version == VERSION_2:
        return _SALT_2
    draft = version & 0xFF if version >> 8 == 0xFF0000 else 34
    if draft >= 33:
        return _SALT_1
    return _SALT_DRAFT_29 if draft >= 29 else _SALT_DRAFT_23


def _keys(version: int, secret: bytes) -> Keys:
    prefix = "quicv2" if version == VERSION_2 else "quic"
    return Keys(
        _expand(secret, f"{prefix} key", 16), _expand(secret, f"{prefix} iv", 12), _expand(secret, f"{prefix} hp", 16)
    )


def _expand(secret: bytes, label: str, size: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446, 7.1); one block is enough for every size here."""
    name = b"tls13 " + label.encode()
    info = size.to_bytes(2, "big") + bytes((len(name),)) + name + b"\0"
    return hmac.digest(secret, info + b"\1", "sha256")[:size]


def open_packet(keys: Keys, datagram: bytes, packet: Packet) -> bytes | None:
    """Return what an Initial packet says, None when the keys do not fit; raises WireError for one too short."""
    # Imported when the first packet comes: it would double the time the command line takes to start.
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    at = packet.number_at
    sample = datagram[at + _MAX_NUMBER_BYTES : at + _MAX_NUMBER_BYTES + _SAMPLE_BYTES]
    if len(sample) < _SAMPLE_BYTES or at + _MAX_NUMBER_BYTES + _SAMPLE_BYTES > packet.end:
        raise WireError("an Initial packet is too short")
    mask = _header_mask(keys.header, sample)
    first = datagram[packet.start] ^ (mask[0] & 0x0F)
    size = (first & 3) + 1
    number = bytes(a ^ b for a, b in zip(datagram[at : at + size], mask[1:], strict=False))
    header = bytes((first,)) + datagram[packet.start + 1 : at] + number
    nonce = (int.from_bytes(keys.iv, "big") ^ int.from_bytes(number, "big")).to_bytes(len(keys.iv), "big")
    try:
        return AESGCM(keys.key).decrypt(nonce, datagram[at + size : packet.end], header)
    except InvalidTag:
        return None


def _header_mask(key: bytes, sample: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - RFC 9001, 5.4.3: one block
    return encryptor.update(sample)
