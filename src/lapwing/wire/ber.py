"""The part of BER (X.690) that LDAP uses: definite lengths, one-byte tags; read and written."""

from typing import NamedTuple

from lapwing.events import WireError

MAX_DEPTH = 16  # of nested filters
MAX_LENGTH_BYTES = 4


class Element(NamedTuple):
    """A tag and what it holds; `start` is where the content begins in the bytes it was read from."""

    tag: int
    content: bytes
    start: int


def message_size(data: bytes | bytearray) -> int | None:
    """Return the size of the element `data` begins with, head included; None when its head is not whole.

    Raises WireError for a length of another form.
    """
    if len(data) < 2:
        return None
    if data[1] < 0x80:
        return 2 + data[1]
    count = data[1] & 0x7F
    if not 1 <= count <= MAX_LENGTH_BYTES:
        raise WireError("BER length is not of a definite, sensible form")
    if len(data) < 2 + count:
        return None
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big")


def read_elements(data: bytes, base: int = 0) -> list[Element]:
    """Return the elements `data` consists of; `base` is added to their positions. Raises WireError."""
    elements = []
    pos = 0
    while pos < len(data):
        rest = data[pos : pos + 2 + MAX_LENGTH_BYTES]
        size = message_size(rest)
        if size is None or pos + size > len(data):
            raise WireError("BER element reaches past what holds it")
        head = 2 if rest[1] < 0x80 else 2 + (rest[1] & 0x7F)
        elements.append(Element(data[pos], data[pos + head : pos + size], base + pos + head))
        pos += size
    return elements


def write(tag: int, *contents: bytes) -> bytes:
    """Return one element."""
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content


def write_integer(value: int, tag: int = 2) -> bytes:
    """Return a non-negative INTEGER or ENUMERATED."""
    return write(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def integer(content: bytes) -> int:
    """Return the value of an INTEGER or ENUMERATED; raises WireError where it has no byte or more than eight."""
    if not 1 <= len(content) <= 8:
        raise WireError("BER integer of no sensible size")
    return int.from_bytes(content, "big", signed=True)
