"""What the headers say of the body's length (RFC 9112 section 6.3), and the host."""

MAX_LENGTH_DIGITS = 18  # of Content-Length; longer is absurd and read as absent

# Framing of a body. Zero or more is a length in bytes.
CHUNKED = -1
UNTIL_CLOSE = -2
UNSTATED = -3  # no length given: nothing for a request, until close for a response

_NAMES = frozenset({"content-length", "transfer-encoding", "host"})

Headers = list[tuple[str, str]]


def facts(headers: Headers) -> tuple[int, str | None]:
    """Return the framing and the Host of a message. Transfer-Encoding overrules Content-Length."""
    framing = UNSTATED
    host = None
    for name, value in headers:
        key = name.lower()
        if key not in _NAMES:
            continue
        if key == "host":
            host = value if host is None else host
        elif key == "transfer-encoding":
            if is_chunked(value):
                framing = CHUNKED
        elif framing == UNSTATED:
            framing = stated_length(value)
    return framing, host


def is_chunked(value: str) -> bool:
    """Tell whether a Transfer-Encoding ends in the chunked coding."""
    return value.lower().endswith("chunked")


def stated_length(value: str) -> int:
    """Return what a Content-Length says, UNSTATED when that is no number."""
    first = value.partition(",")[0].strip()
    if first.isascii() and first.isdigit() and len(first) <= MAX_LENGTH_DIGITS:
        return int(first)
    return UNSTATED
