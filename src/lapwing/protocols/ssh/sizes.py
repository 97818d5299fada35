"""How long an encrypted packet is on the wire, by its algorithms (RFC 4253, 6; RFC 5647; OpenSSH PROTOCOL)."""

from lapwing.protocols.ssh.kexinit import Agreed

MIN_PADDING_BYTES = 4
MAX_TURN_PACKETS = 64  # told apart per turn; an answer during login has one to three
MAX_LENGTH = 256 * 1024  # a larger length field means that packet boundaries were lost

_AES_BLOCK = 16
_SMALL_BLOCK = 8
_BLOCK_OF = {"aes": 16, "rijndael": 16, "serpent": 16, "twofish": 16, "camellia": 16, "cast128": 8, "blowfish": 8,
             "3des": 8, "arcfour": 8, "idea": 8}  # fmt: skip
_MAC_BYTES = {
    "hmac-md5": 16,
    "hmac-md5-96": 12,
    "hmac-ripemd160": 20,
    "hmac-sha1": 20,
    "hmac-sha1-96": 12,
    "hmac-sha2-256": 32,
    "hmac-sha2-512": 64,
    "umac-64": 8,
    "umac-128": 16,
}


class Framing:
    """`clear_length`: the length field can be read. `covers_length`: it counts for the padding."""

    __slots__ = ("block_bytes", "clear_length", "covers_length", "tag_bytes")

    def __init__(self, block_bytes: int, tag_bytes: int, clear_length: bool, covers_length: bool) -> None:
        self.block_bytes = block_bytes
        self.tag_bytes = tag_bytes
        self.clear_length = clear_length
        self.covers_length = covers_length

    def packet_bytes(self, payload_bytes: int) -> int:
        """Bytes on the wire of a packet with so much payload and the least padding, as everybody sends them."""
        head = 4 if self.covers_length else 0
        body = head + 1 + payload_bytes + MIN_PADDING_BYTES
        return 4 - head + body + -body % self.block_bytes + self.tag_bytes

    def payload_range(self, packet_bytes: int) -> tuple[int, int]:
        """Least and greatest payload that a packet of that size can have with the least padding."""
        most = packet_bytes - self.tag_bytes - 4 - 1 - MIN_PADDING_BYTES
        return most - self.block_bytes + 1, most


def framing(agreed: Agreed) -> Framing | None:
    """Return how packets look under these algorithms; None when they are unknown or compress from the start."""
    if agreed.compression not in ("none", "zlib@openssh.com"):
        return None
    cipher = agreed.cipher
    if cipher.startswith("chacha20-poly1305"):
        return Framing(_SMALL_BLOCK, tag_bytes=16, clear_length=False, covers_length=False)
    if "gcm" in cipher.lower():
        return Framing(_AES_BLOCK, tag_bytes=16, clear_length=True, covers_length=False)
    mac, separator, _ = agreed.mac.partition("@")
    etm = bool(separator) and mac.endswith("-etm")
    tag_bytes = _MAC_BYTES.get(mac.removesuffix("-etm"))
    block_bytes = next((size for name, size in _BLOCK_OF.items() if cipher.startswith(name)), None)
    if tag_bytes is None or block_bytes is None:
        return None
    return Framing(block_bytes, tag_bytes, clear_length=etm, covers_length=not etm)


class Turn:
    """What one side sends before the other side speaks: its bytes, and its packets where their lengths can be read."""

    __slots__ = ("_framing", "_head", "_left", "_packet", "packets", "total_bytes")

    def __init__(self, how: Framing) -> None:
        self._framing: Framing | None = how if how.clear_length else None
        self._head = b""
        self._left = 0  # of the packet that has begun, after its length field
        self._packet = 0
        self.start()

    def start(self) -> None:
        """A new turn begins; a packet that has begun goes on in it."""
        self.total_bytes = 0
        self.packets: list[int] = []

    @property
    def sizes(self) -> list[int]:
        """Sizes of the packets of the turn; where they cannot be told apart, the bytes of all of it as one."""
        if self._framing is None or not self.packets:
            return [self.total_bytes]
        return self.packets

    def push(self, data: bytes) -> None:
        """Take encrypted bytes."""
        self.total_bytes += len(data)
        if self._framing is None:
            return
        position = 0
        while self._framing is not None and position < len(data):
            if self._left:
                step = min(self._left, len(data) - position)
                position += step
                self._advance(step)
                continue
            wanted = 4 - len(self._head)
            self._head += data[position : position + wanted]
            position += wanted
            if len(self._head) == 4:
                self._begin(self._framing)

    def gap(self, missing_bytes: int) -> None:
        """Bytes are missing; they count all the same."""
        self.total_bytes += missing_bytes
        if missing_bytes <= self._left:
            self._advance(missing_bytes)
        else:
            self._framing = None

    def _begin(self, how: Framing) -> None:
        length = int.from_bytes(self._head, "big")
        self._head = b""
        if not 0 < length <= MAX_LENGTH:
            self._framing = None
            return
        self._left = length + how.tag_bytes
        self._packet = 4 + self._left

    def _advance(self, count: int) -> None:
        self._left -= count
        if not self._left and len(self.packets) < MAX_TURN_PACKETS:
            self.packets.append(self._packet)
