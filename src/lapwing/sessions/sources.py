"""Which addresses are one source to whoever holds it back."""

from functools import lru_cache

from lapwing.detect import source_text


@lru_cache(maxsize=65_536)
def source_of(text: str) -> str | None:
    """The source that counts for an address: IPv4 itself, IPv6 its /64; None when it is no address."""
    return source_text(text.partition("%")[0])
