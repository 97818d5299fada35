"""Fuzz target: two sides of an SSH connection, cut into segments and holes by the input itself."""

from fuzz.talk import pause, script, talk
from lapwing.events import Side
from lapwing.protocols.ssh import SshParser

C, S = Side.CLIENT, Side.SERVER
CIPHER, MAC = b"chacha20-poly1305@openssh.com", b"hmac-sha2-256"
NAMES = (b"curve25519-sha256", b"ssh-ed25519", CIPHER, CIPHER, MAC, MAC, b"none", b"none", b"", b"")
LISTS = b"".join(len(names).to_bytes(4, "big") + names for names in NAMES)
PAYLOAD = b"\x14" + bytes(16) + LISTS + bytes(5)
KEXINIT = (len(PAYLOAD) + 5).to_bytes(4, "big") + b"\x04" + PAYLOAD + bytes(4)
NEWKEYS = b"\x00\x00\x00\x0c\x0a\x15" + bytes(10)
BEGUN = script(
    (S, b"SSH-2.0-OpenSSH_9.2\r\n"),
    (C, b"SSH-2.0-a\r\n"),
    *((C, KEXINIT), (S, KEXINIT), (S, NEWKEYS), (C, NEWKEYS)),
    *((C, bytes(44)), (S, bytes(44)), (C, bytes(148)), (S, bytes(52))),
)
SILENT = script((C, bytes(84))) + pause(200)
SEEDS = (BEGUN, BEGUN + SILENT + script((S, bytes(52))) + SILENT)


def run(data: bytes) -> None:
    """Parse the input and read its logins, whole and byte by byte."""
    talk("ssh", SshParser, data)
