"""What an xid tells: interactsh's own client uses one as correlation id, so its tokens name their maker."""

import msgspec

from lapwing.callbacks.tokens import ID_ALPHABET

XID_LENGTH = 20  # characters for 12 bytes; the last four bits are zero


class Xid(msgspec.Struct, frozen=True):
    """When, on which machine (three bytes of a hash), by which process, and as which of its ids it was made."""

    time_s: int
    machine: str
    process_id: int
    counter: int


def read_xid(text: str) -> Xid | None:
    """Read an xid; None for text of another shape."""
    if len(text) != XID_LENGTH or not set(text) <= set(ID_ALPHABET):
        return None
    value = 0
    for character in text:
        value = value << 5 | ID_ALPHABET.index(character)
    if value & 15:
        return None
    data = (value >> 4).to_bytes(12, "big")
    return Xid(
        time_s=int.from_bytes(data[:4], "big"),
        machine=data[4:7].hex(),
        process_id=int.from_bytes(data[7:9], "big"),
        counter=int.from_bytes(data[9:], "big"),
    )
