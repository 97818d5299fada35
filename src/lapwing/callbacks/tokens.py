"""Tokens: ids of interactsh's shape whose second half proves who minted them.

A token is a correlation id, which the collector knows, and a nonce, which only the client can read. The nonce is a
masked number and a truncated HMAC over that number and the token's purpose, so the client sees without a table
whether it minted a token and which one, and a stranger who saw one host name cannot make up another.
Both halves stand in lower case: host names come back in any letter case.
"""

import hmac
import re

import msgspec

ID_ALPHABET = "0123456789abcdefghijklmnopqrstuv"  # base32hex in lower case, as xid writes
NONCE_ALPHABET = "ybndrfg8ejkmcpqxot1uwisza345h769"  # z-base-32, as interactsh's client writes
DEFAULT_ID_LENGTH = 20  # characters; 100 bits when random
DEFAULT_NONCE_LENGTH = 13  # characters; 65 bits
MIN_PART_LENGTH = 3  # characters; interactsh refuses shorter parts
MAX_LABEL_LENGTH = 63  # characters of a DNS label, which a token must fit (RFC 1035 section 2.3.4)
MAX_NUMBER_BITS = 24  # 16.7 million tokens per registration; every further bit of a nonce goes to its proof
MAX_PURPOSE_BYTES = 1024  # as long as the longest note collectors elsewhere take

_BITS = 5  # per character of either alphabet
_VALUES = {character: value for value, character in enumerate(NONCE_ALPHABET)}
_CORRELATION_ID = re.compile(rf"[0-9a-z]{{{MIN_PART_LENGTH},{MAX_LABEL_LENGTH - MIN_PART_LENGTH}}}")


class Token(msgspec.Struct, frozen=True):
    """One planted name. `number` counts from 0 within a correlation id; `purpose` is the minter's own words."""

    correlation_id: str
    nonce: str
    number: int
    purpose: str

    @property
    def unique_id(self) -> str:
        """What a collector reports: correlation id and nonce."""
        return self.correlation_id + self.nonce

    def host(self, domain: str) -> str:
        """The name to plant, below the collector's domain (which may carry a port)."""
        return f"{self.unique_id}.{domain}"

    def url(self, domain: str, scheme: str = "https") -> str:
        """The address to plant."""
        return f"{scheme}://{self.host(domain)}"


def is_correlation_id(text: str) -> bool:
    """Whether `text` can stand in a host name as the first half of a token, in any letter case."""
    return _CORRELATION_ID.fullmatch(text.lower()) is not None


def correlation_id(entropy: bytes) -> str:
    """Return an id with one character per byte of `entropy`, five random bits each: 20 bytes for interactsh's length.

    Unlike an xid it tells no time, machine or process. Raises ValueError for fewer than three bytes.
    """
    if len(entropy) < MIN_PART_LENGTH:
        raise ValueError(f"a correlation id has at least {MIN_PART_LENGTH} characters")
    return "".join(ID_ALPHABET[byte & 31] for byte in entropy)


class TokenKey:
    """Mints and recognises the tokens of one correlation id. Equal arguments give equal tokens."""

    def __init__(self, key: bytes, own_id: str, nonce_length: int = DEFAULT_NONCE_LENGTH) -> None:
        """`key` has at least 16 bytes. Raises ValueError for an id or a length that fits no DNS label."""
        if len(key) < 16:
            raise ValueError("a token key has at least 16 bytes")
        if not is_correlation_id(own_id) or not MIN_PART_LENGTH <= nonce_length <= MAX_LABEL_LENGTH - len(own_id):
            raise ValueError(f"correlation id and nonce are letters and digits, together at most {MAX_LABEL_LENGTH}")
        self.correlation_id = own_id.lower()
        self.nonce_length = nonce_length
        bits = nonce_length * _BITS
        # Three eighths of a nonce number it, the rest proves it: 24 and 41 bits of interactsh's 65.
        self._number_bits = min(MAX_NUMBER_BITS, bits * 3 // 8)
        self._tag_bits = bits - self._number_bits
        self._key = key

    @property
    def capacity(self) -> int:
        """How many tokens this shape has room for."""
        return 1 << self._number_bits

    def mint(self, number: int, purpose: str = "") -> Token:
        """Return token `number`. Raises ValueError when the shape has no room for it or the purpose is too long."""
        if not 0 <= number < self.capacity:
            raise ValueError(f"nonces of {self.nonce_length} characters number {self.capacity} tokens")
        if len(purpose.encode("utf-8", "replace")) > MAX_PURPOSE_BYTES:
            raise ValueError(f"a purpose has at most {MAX_PURPOSE_BYTES} bytes")
        tag = self._tag(number, purpose)
        value = tag << self._number_bits | number ^ self._mask(tag)
        return Token(self.correlation_id, _to_text(value, self.nonce_length), number, purpose)

    def number(self, nonce: str) -> int | None:
        """Return the number a nonce claims; None when it has another shape. Only `verify` proves the claim."""
        value = self._value(nonce)
        if value is None:
            return None
        return (value & self.capacity - 1) ^ self._mask(value >> self._number_bits)

    def verify(self, nonce: str, purpose: str = "") -> int | None:
        """Return the number of a nonce minted under this key for `purpose`; None for a forged or foreign one."""
        value = self._value(nonce)
        if value is None:
            return None
        claimed = value >> self._number_bits
        number = (value & self.capacity - 1) ^ self._mask(claimed)
        size = (self._tag_bits + 7) // 8
        proof = self._tag(number, purpose).to_bytes(size, "big")
        return number if hmac.compare_digest(proof, claimed.to_bytes(size, "big")) else None

    def _value(self, nonce: str) -> int | None:
        if len(nonce) != self.nonce_length:
            return None
        value = 0
        for character in nonce.lower():
            digit = _VALUES.get(character)
            if digit is None:
                return None
            value = value << _BITS | digit
        return value

    def _tag(self, number: int, purpose: str) -> int:
        return self._digest(b"tag", number.to_bytes(4, "big") + purpose.encode("utf-8", "replace")) >> (
            256 - self._tag_bits
        )

    def _mask(self, tag: int) -> int:
        """Hides the number, so that tokens in the wild do not tell in which order they were made."""
        size = (self._tag_bits + 7) // 8
        return self._digest(b"mask", tag.to_bytes(size, "big")) & self.capacity - 1

    def _digest(self, use: bytes, data: bytes) -> int:
        message = b"\0".join((b"lapwing token", use, self.correlation_id.encode("ascii"), data))
        return int.from_bytes(hmac.digest(self._key, message, "sha256"), "big")


def _to_text(value: int, length: int) -> str:
    return "".join(NONCE_ALPHABET[value >> _BITS * place & 31] for place in range(length - 1, -1, -1))


class TokenBook:
    """Mints in order and remembers what each token was for.

    Holds the purposes of the newest `limit` tokens; `forgotten_count` says how many older ones it can no longer name.
    """

    def __init__(self, key: TokenKey, *, limit: int = 100_000, first_number: int = 0) -> None:
        """`first_number` is where a restored session goes on."""
        self.key = key
        self.next_number = first_number
        self.forgotten_count = 0
        self._limit = limit
        self._minted: dict[int, tuple[str, int]] = {}

    def mint(self, purpose: str, now_ns: int) -> Token:
        """Return the next token. Raises ValueError when the shape has no more room: register anew."""
        token = self.key.mint(self.next_number, purpose)
        self.recall(token.number, purpose, now_ns)
        return token

    def recall(self, number: int, purpose: str, minted_ns: int) -> None:
        """Remember a token, which an earlier run may have minted; the next one minted has a higher number."""
        self.next_number = max(self.next_number, number + 1)
        self._minted[number] = (purpose, minted_ns)
        if len(self._minted) > self._limit:
            del self._minted[next(iter(self._minted))]
            self.forgotten_count += 1

    def read(self, unique_id: str) -> Token | None:
        """Return the token of a reported id, whatever its letter case; None when it is forged, foreign or forgotten."""
        text = unique_id.lower()
        own_id = self.key.correlation_id
        if not text.startswith(own_id):
            return None
        nonce = text[len(own_id) :]
        number = self.key.number(nonce)
        minted = None if number is None else self._minted.get(number)
        if minted is None or self.key.verify(nonce, minted[0]) != number or number is None:
            return None
        return Token(own_id, nonce, number, minted[0])

    def minted_ns(self, number: int) -> int | None:
        """When a token was made; None when it is not remembered."""
        minted = self._minted.get(number)
        return None if minted is None else minted[1]
