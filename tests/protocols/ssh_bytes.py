"""SSH sessions by hand: what goes over the wire, with encrypted packets of the right sizes and no meaning."""

from lapwing.events import Side
from lapwing.protocols.ssh.sizes import Framing
from tests.protocols.playbook import Step, client, server

CHACHA = ("chacha20-poly1305@openssh.com", "hmac-sha2-256")
GCM = ("aes256-gcm@openssh.com", "hmac-sha2-256")
ETM = ("aes128-ctr", "hmac-sha2-256-etm@openssh.com")
PLAIN_MAC = ("aes128-ctr", "hmac-sha1")
OLD = ("3des-cbc", "hmac-md5")
WAYS = {
    CHACHA: Framing(8, 16, clear_length=False, covers_length=False),
    GCM: Framing(16, 16, clear_length=True, covers_length=False),
    ETM: Framing(16, 32, clear_length=True, covers_length=False),
    PLAIN_MAC: Framing(16, 20, clear_length=False, covers_length=True),
    OLD: Framing(8, 16, clear_length=False, covers_length=True),
}

# Payload sizes (RFC 4252), for the user `ana`.
SERVICE = 17
NONE = 31 + 3
FAILURE = 6 + len("publickey,password")
SUCCESS = 1
KEY_OFFER = 350
KEY_ACCEPTED = 350 - 36 - 3
SIGNED = 650
CHANNEL_OPEN = 24
CHANNEL_CONFIRMED = 17
TOO_MANY = 45
EXTENSIONS = 300


def password(length: int) -> int:
    """Payload of a request with a password of that length."""
    return 40 + 3 + length


def binary_packet(payload: bytes) -> bytes:
    """A packet as sent before encryption."""
    padding = 4 + -(5 + len(payload) + 4) % 8
    return (1 + len(payload) + padding).to_bytes(4, "big") + bytes([padding]) + payload + bytes(padding)


def kexinit(cipher: str, mac: str, compression: str = "none") -> bytes:
    """A KEXINIT packet that offers one of each."""
    return binary_packet(
        kexinit_payload("curve25519-sha256", "ssh-ed25519", cipher, cipher, mac, mac, compression, compression)
    )


def kexinit_payload(*names: str) -> bytes:
    """The payload of a KEXINIT packet with these name-lists; languages may be left out."""
    lists = b"".join(len(name).to_bytes(4, "big") + name.encode() for name in [*names, "", ""][:10])
    return b"\x14" + bytes(16) + lists + bytes(5)


NEWKEYS = binary_packet(b"\x15")


def opening(way: tuple[str, str] = CHACHA, *, software: str = "OpenSSH_9.2p1", compression: str = "none") -> list[Step]:
    """Everything up to the encrypted service request."""
    init = kexinit(*way, compression)
    return [
        server(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" + init),
        client(b"SSH-2.0-" + software.encode() + b"\r\n" + init + binary_packet(b"\x1e" + bytes(36))),
        server(binary_packet(b"\x1f" + bytes(180)) + NEWKEYS + sealed(way, EXTENSIONS)),
        client(NEWKEYS),
    ]


def sealed(way: tuple[str, str], *payloads: int) -> bytes:
    """Encrypted packets with payloads of these sizes."""
    how = WAYS[way]
    packets = []
    for payload in payloads:
        size = how.packet_bytes(payload)
        head = (size - 4 - how.tag_bytes).to_bytes(4, "big") if how.clear_length else b"\xee" * 4
        packets.append(head + b"\xcc" * (size - 4))
    return b"".join(packets)


def session(way: tuple[str, str], *turns: tuple[int, ...], **options: str) -> list[Step]:
    """A session: after the service was accepted, turns of packets by client and server alternate."""
    steps = [*opening(way, **options), client(sealed(way, SERVICE)), server(sealed(way, SERVICE))]
    for number, payloads in enumerate(turns):
        steps.append(Step(Side.SERVER if number % 2 else Side.CLIENT, sealed(way, *payloads)))
    return steps
