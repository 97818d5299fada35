"""One spelling per account."""

from unicodedata import normalize

from lapwing.logins.settings import LoginSettings

MAX_USERNAME_CHARS = 256  # longer than any account name or mail address (RFC 5321: 254); the rest is cut off


def normalise(username: str, settings: LoginSettings) -> str | None:
    """Return `username` in NFKC, case folded, trimmed, cut to MAX_USERNAME_CHARS; None when nothing is left."""
    text = username[:MAX_USERNAME_CHARS]
    if not text.isascii():
        text = normalize("NFKC", normalize("NFKC", text).casefold())
    text = text.casefold().strip(" \t\r\n\0")[:MAX_USERNAME_CHARS].rstrip()
    local, at, domain = text.rpartition("@")
    if at and local:
        if settings.drop_username_tag:
            local = local.partition("+")[0] or local
        if settings.fold_username_dots:
            local = local.replace(".", "") or local
        text = f"{local}@{domain}"
    return text or None
