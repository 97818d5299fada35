"""What a file is, by its first bytes."""

from functools import cache
from types import ModuleType

# Names as monitors of networks write them.
_USUAL = {
    "application/json": "text/json",
    "application/vnd.microsoft.portable-executable": "application/x-dosexec",
    "application/x-msdownload": "application/x-dosexec",
    "application/gzip": "application/x-gzip",
    "text/javascript": "application/javascript",
}
_BINARY = bytes((*range(0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)))  # no text has them (WHATWG MIME Sniffing)
_MARKS = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")  # of text in UTF-8 and UTF-16
MIN_TEXT_BYTES = 10  # without a mark; fewer bytes look like text by chance
MAX_KIND = 127  # letters of a kind; the registry takes no longer names (RFC 6838, 4.2)


@cache
def _library() -> ModuleType | None:
    try:
        import puremagic
    except ImportError:  # the extra `files` is not installed
        return None
    return puremagic


def kind_of(head: bytes) -> str | None:
    """Return the MIME type that the start of a file shows, None where it shows none.

    Formats are told by puremagic, where it is installed (extra `files`); text is what has no bytes that text has not.
    """
    if not head:
        return None
    found = _by_library(head)
    if found:
        return _USUAL.get(found, found)
    text = head.startswith(_MARKS) or (len(head) >= MIN_TEXT_BYTES and head.translate(None, delete=_BINARY) == head)
    return "text/plain" if text else None


def _by_library(head: bytes) -> str | None:
    library = _library()
    if library is None:
        return None
    try:
        found = library.from_string(head, mime=True)
    except Exception:  # its table meets bytes of anybody's choice; what it makes of them must not end the reading
        return None
    return str(found)[:MAX_KIND] or None
