"""What client software a request shows: its header order, names and case, and the values that software sets."""

from hashlib import blake2b

from lapwing.events.messages import HttpRequest

FINGERPRINT_BYTES = 6  # told apart are the client programs of one site, not of the world

# Come and go with what is asked, not with who asks.
_PASSING = frozenset(
    {
        "authorization",
        "cache-control",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "if-modified-since",
        "if-none-match",
        "origin",
        "pragma",
        "proxy-authorization",
        "range",
        "referer",
        "traceparent",
        "tracestate",
        "x-csrf-token",
        "x-forwarded-for",
        "x-real-ip",
        "x-request-id",
        "x-requested-with",
        "x-xsrf-token",
    }
)
_TELLING = frozenset({"accept-encoding", "accept-language", "connection"})  # values the software sets, not the request


def fingerprint(request: HttpRequest) -> str:
    """Return `http:` and 12 hex digits: equal for requests of one program, whatever they ask for.

    The user agent's text is left out, for it is what attackers rotate; its place among the headers is in.
    """
    parts = [request.version]
    for name, value in request.headers:
        key = name.lower()
        if key in _PASSING:
            continue
        parts.append(f"{name}={value}" if key in _TELLING else name)
    return "http:" + blake2b("\n".join(parts).encode("latin-1", "replace"), digest_size=FINGERPRINT_BYTES).hexdigest()
