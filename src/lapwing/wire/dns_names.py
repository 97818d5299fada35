"""DNS names (RFC 1035): labels and compression to text, and back.

Text is lower case, without the trailing dot; the root is the empty string. Bytes that do not print are `\\DDD`, and
characters with a meaning in zone files are escaped, as dig prints them.
"""

import re

from lapwing.events import WireError

MAX_NAME_BYTES = 255  # RFC 1035 section 2.3.4, on the wire with lengths and root
MAX_LABEL_BYTES = 63

_PLAIN = bytes(range(ord("a"), ord("z") + 1)) + b"0123456789-_"
_LOWER = bytes(byte + 32 if 65 <= byte <= 90 else byte for byte in range(256))
_IN_NAME = frozenset(b'"().;\\@$')
_IN_STRING = frozenset(b'"\\')
_UNIT = re.compile(r"\\([0-9]{3})|\\(.)|([^\\])", re.DOTALL)


def read_name(data: bytes, pos: int) -> tuple[str, int]:
    """Return the name at `pos` and the position after it.

    A compression pointer must point below the name it continues, so that pointers cannot loop.
    Raises WireError, and IndexError where the data ends.
    """
    labels = []
    after = -1
    lowest = pos
    size = 1
    while length := data[pos]:
        if length <= MAX_LABEL_BYTES:
            pos += 1
            labels.append(data[pos : pos + length])
            pos += length
            size += length + 1
            if size > MAX_NAME_BYTES:
                raise WireError("name longer than 255 bytes")
        elif length >= 0xC0:
            if after < 0:
                after = pos + 2
            pos = (length & 0x3F) << 8 | data[pos + 1]
            if pos >= lowest:
                raise WireError("compression pointer does not point backwards")
            lowest = pos
        else:
            raise WireError("label type is not defined")
    return _join(labels), after if after >= 0 else pos + 1


def _join(labels: list[bytes]) -> str:
    name = b".".join(labels).translate(_LOWER)
    # Plain names have nothing but the dots between their labels left when plain characters are taken away.
    if name.translate(None, _PLAIN) == b"." * (len(labels) - 1):
        return name.decode("ascii")
    return ".".join("".join(map(_name_unit, label.translate(_LOWER))) for label in labels)


def _name_unit(byte: int) -> str:
    if byte in _IN_NAME:
        return "\\" + chr(byte)
    return chr(byte) if 0x21 <= byte <= 0x7E else f"\\{byte:03d}"


def write_name(name: str) -> bytes:
    """Return the uncompressed wire form of a name. Raises WireError when it has none."""
    if not name or name == ".":
        return b"\0"
    labels = _split(name)
    if any(not 0 < len(label) <= MAX_LABEL_BYTES for label in labels):
        raise WireError(f"labels have 1 to {MAX_LABEL_BYTES} bytes")
    wire = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    if len(wire) > MAX_NAME_BYTES:
        raise WireError("name longer than 255 bytes")
    return wire


def _split(name: str) -> list[bytes]:
    if "\\" not in name:
        return unescape(name).split(b".")
    labels = [bytearray()]
    for number, quoted, plain in _UNIT.findall(name):
        if plain == ".":
            labels.append(bytearray())
        else:
            labels[-1] += _unit(number, quoted or plain)
    return [bytes(label) for label in labels]


def escape(text: bytes) -> str:
    """Return the inside of a quoted character string (RFC 1035 section 5.1)."""
    if text.isascii() and text.isalnum():
        return text.decode("ascii")
    return "".join(
        "\\" + chr(byte) if byte in _IN_STRING else (chr(byte) if 0x20 <= byte <= 0x7E else f"\\{byte:03d}")
        for byte in text
    )


def unescape(text: str) -> bytes:
    """Return the bytes of a name or character string. Raises WireError for what is not ASCII or above `\\255`."""
    if "\\" not in text:
        if not text.isascii():
            raise WireError("names are ASCII")
        return text.encode("ascii")
    return b"".join(_unit(number, quoted or plain) for number, quoted, plain in _UNIT.findall(text))


def _unit(number: str, character: str) -> bytes:
    code = int(number) if number else ord(character)
    if code > 255 or (not number and code > 127):
        raise WireError("names are ASCII, other bytes are written \\DDD")
    return bytes((code,))
