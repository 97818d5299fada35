"""QUIC packets by hand, protected as endpoints protect them."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lapwing.protocols.quic.keys import Keys, derive
from lapwing.protocols.quic.packets import VERSION_1, VERSION_2

CLIENT_ID, SERVER_ID = bytes.fromhex("8394c8f03e515708"), bytes.fromhex("f067a5502a4262b5")


def variable(number: int) -> bytes:
    return (number | 0x8000_0000).to_bytes(4, "big")


def crypto(offset: int, data: bytes) -> bytes:
    return b"\6" + variable(offset) + variable(len(data)) + data


def initial(
    payload: bytes,
    *,
    from_server: bool = False,
    version: int = VERSION_1,
    number: int = 0,
    token: bytes = b"",
    made_for: bytes = CLIENT_ID,
    destination: bytes | None = None,
) -> bytes:
    """One Initial packet in a datagram of at least 1,200 bytes; `made_for` is the id its keys come from."""
    payload = payload.ljust(1_200, b"\0")
    keys = derive(version, made_for)[from_server]
    ids = (b"", SERVER_ID) if from_server else (made_for if destination is None else destination, b"")
    kind = 0xD1 if version == VERSION_2 else 0xC1
    header = bytes((kind,)) + version.to_bytes(4, "big") + b"".join(bytes((len(one),)) + one for one in ids)
    header += variable(len(token)) + token + variable(2 + len(payload) + 16)
    return protect(keys, header, number.to_bytes(2, "big"), payload)


def protect(keys: Keys, header: bytes, number: bytes, payload: bytes) -> bytes:
    nonce = (int.from_bytes(keys.iv, "big") ^ int.from_bytes(number, "big")).to_bytes(12, "big")
    sealed = AESGCM(keys.key).encrypt(nonce, payload, header + number)
    sample = sealed[4 - len(number) :][:16]
    mask = Cipher(algorithms.AES(keys.header), modes.ECB()).encryptor().update(sample)
    first = bytes((header[0] ^ (mask[0] & 0x0F),))
    return first + header[1:] + bytes(a ^ b for a, b in zip(number, mask[1:], strict=False)) + sealed


def retry(source: bytes) -> bytes:
    return b"\xf0" + VERSION_1.to_bytes(4, "big") + b"\0" + bytes((len(source),)) + source + bytes(40)


def negotiation(*versions: int) -> bytes:
    return b"\xc0" + bytes(4) + b"\0\0" + b"".join(one.to_bytes(4, "big") for one in versions)
