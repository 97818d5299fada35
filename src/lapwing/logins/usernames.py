"""One spelling per account."""

from unicodedata import normalize

from lapwing.logins.settings import LoginSettings

MAX_USERNAME_CHARS = 256  # longer than any account name or mail address (RFC 5321: 254); the rest is cut off

# White space and control characters; U+3000 is the last of them.
_EDGES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace() or code < 0x20 or code == 0x7F)


def normalise(username: str, settings: LoginSettings) -> str | None:
    """Return `username` in NFKC, case folded, trimmed, cut to MAX_USERNAME_CHARS; None when nothing is left."""
    text = username[:MAX_USERNAME_CHARS]
    if not text.isascii():
        text = normalize("NFKC", normalize("NFKC", text).casefold())
    text = text.casefold().strip(_EDGES)[:MAX_USERNAME_CHARS]
    text = text.partition("\0")[0].rstrip(_EDGES)  # behind a NUL stands a secret that came along, never a name
    local, at, domain = text.rpartition("@")
    if at and local:
        if settings.drop_username_tag:
            local = local.partition("+")[0] or local
        if settings.fold_username_dots:
            local = local.replace(".", "") or local
        text = f"{local}@{domain}"
    return text or None
