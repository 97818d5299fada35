"""The shape nearly every query has, read in one go: one plain question, and EDNS or nothing behind it.

Whatever looks in any way different is left to the listener's careful reader, which says the same of what both can read.
"""

from lapwing.wire.dns import HEADER_BYTES
from lapwing.wire.dns_names import MAX_LABEL_BYTES, MAX_NAME_BYTES

NO_EDNS = -1

# What a query says before its question, apart from id, recursion and the count of additional records.
_ONE_QUESTION = b"\0\1\0\0\0\0\0"
_INTERNET = b"\0\1"
_OPT = b"\0\0\x29"  # at the root, of type 41 (RFC 6891)
_OPT_BYTES = 11
_LABEL_CHARACTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

Plain = tuple[str, str, int, int, int]


def read_plain(message: bytes) -> Plain | None:
    """Return name in lower case, name as it came, type, end of the question, and what the asker can take over UDP.

    The last is `NO_EDNS` without EDNS. None for everything that is not plain: another operation or class, several
    questions, compression, letters that need escapes, records beside OPT, the root, and any damage.
    """
    size = len(message)
    if size < HEADER_BYTES + 7 or message[2] & 0xFE or message[4:11] != _ONE_QUESTION:
        return None
    pos = HEADER_BYTES
    length = message[pos]
    labels = []
    while length:
        start = pos + 1
        pos = start + length
        if length > MAX_LABEL_BYTES or pos >= size:
            return None
        labels.append(message[start:pos])
        length = message[pos]
    end = pos + 5
    if end > size or not labels or pos >= HEADER_BYTES + MAX_NAME_BYTES or message[end - 2 : end] != _INTERNET:
        return None
    text = b".".join(labels)
    if len(text.translate(None, _LABEL_CHARACTERS)) != len(labels) - 1:
        return None
    edns_bytes = NO_EDNS
    if message[11]:
        if message[11] != 1 or size < end + _OPT_BYTES or message[end : end + 3] != _OPT or message[end + 6]:
            return None
        edns_bytes = message[end + 3] << 8 | message[end + 4]
    shown = text.decode("ascii")
    return shown.lower(), shown, message[end - 4] << 8 | message[end - 3], end, edns_bytes
