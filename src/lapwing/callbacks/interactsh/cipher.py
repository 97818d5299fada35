"""Keys and entries on interactsh's wire: RSA-OAEP carries the session key, AES-256 in CTR or CFB mode the entries.

Entries are not authenticated: whoever can change them on the way can change what they say, so the transport must be
TLS and verified. The first block decrypts alike in both modes, so only a whole entry tells which one it was.
"""

import base64
import binascii

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from lapwing.callbacks.interactsh.dialect import CipherMode
from lapwing.events import WireError

AES_KEY_BYTES = 32
IV_BYTES = 16
RSA_KEY_BITS = 2048  # what every version of interactsh makes
MAX_RSA_KEY_BITS = 8192  # larger ones only cost the collector time
MAX_PUBLIC_KEY_BYTES = 16 * 1024  # of base64; an RSA-8192 key needs 2 KiB

_TRIM = b' "\t\r\n\0'  # servers before 1.3.1 leave a line end behind an entry
_OAEP = padding.OAEP(mgf=padding.MGF1(algorithm=hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


def public_key_field(key: RSAPrivateKey) -> str:
    """Return the `public-key` of a registration: base64 over PEM text over SubjectPublicKeyInfo."""
    return public_key_text(key.public_key())


def public_key_text(key: RSAPublicKey) -> str:
    """Return a public key in the one form it is sent and kept in."""
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(pem).decode("ascii")


def read_public_key(field: str) -> RSAPublicKey:
    """Read the `public-key` of a registration, whatever its PEM label says. Raises WireError."""
    if len(field) > MAX_PUBLIC_KEY_BYTES:
        raise WireError("public key too long")
    try:
        pem = base64.b64decode(field, validate=True).decode("ascii")
        lines = [line for line in pem.split() if line]
        start = next(index for index, line in enumerate(lines) if line.endswith("-----")) + 1
        end = next(index for index, line in enumerate(lines) if index >= start and line.startswith("-----"))
        key = serialization.load_der_public_key(base64.b64decode("".join(lines[start:end]), validate=True))
    except (ValueError, StopIteration, UnsupportedAlgorithm) as problem:
        raise WireError(f"no public key: {problem or 'no PEM'}") from None
    if not isinstance(key, RSAPublicKey) or key.key_size > MAX_RSA_KEY_BITS:
        raise WireError("not an RSA key of a usable size")
    return key


def wrap_key(aes_key: bytes, public_key: RSAPublicKey) -> str:
    """Return `aes_key` as a poll answer carries it. The padding is random: wrap once per registration, keep it."""
    try:
        return base64.b64encode(public_key.encrypt(aes_key, _OAEP)).decode("ascii")
    except ValueError:
        raise WireError("the RSA key is too small to carry a session key") from None


def unwrap_key(field: str, key: RSAPrivateKey) -> bytes:
    """Return the session key of a poll answer. Raises WireError when it is not for `key`."""
    try:
        aes_key = key.decrypt(base64.b64decode(field, validate=True), _OAEP)
    except ValueError:
        raise WireError("the session key was not made for this registration") from None
    if len(aes_key) != AES_KEY_BYTES:
        raise WireError(f"a session key has {AES_KEY_BYTES} bytes")
    return aes_key


def encrypt_entry(plain: bytes, *, aes_key: bytes, iv: bytes, mode: CipherMode = CipherMode.CTR) -> str:
    """Return one entry of `data`. `iv` is 16 fresh random bytes."""
    encryptor = _cipher(aes_key, iv, mode).encryptor()
    return base64.b64encode(iv + encryptor.update(plain) + encryptor.finalize()).decode("ascii")


def decrypt_entry(entry: str, *, aes_key: bytes, mode: CipherMode) -> bytes:
    """Return the JSON text of one entry of `data`. Raises WireError when it is none under this key and mode."""
    try:
        data = base64.b64decode(entry, validate=True)
    except (binascii.Error, ValueError):
        raise WireError("entry is not base64") from None
    if len(data) <= IV_BYTES:
        raise WireError("entry is shorter than its IV")
    decryptor = _cipher(aes_key, data[:IV_BYTES], mode).decryptor()
    plain = (decryptor.update(data[IV_BYTES:]) + decryptor.finalize()).strip(_TRIM)
    if not is_json_object(plain):
        raise WireError(f"entry is no JSON object in {mode} mode")
    return plain


def _cipher(aes_key: bytes, iv: bytes, mode: CipherMode) -> Cipher[CTR | CFB]:
    return Cipher(AES(aes_key), CTR(iv) if mode is CipherMode.CTR else CFB(iv))


def is_json_object(text: bytes) -> bool:
    """Whether `text` is UTF-8 and one JSON object: what tells the right mode from the wrong one."""
    try:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        text.decode("utf-8")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
