"""Logins whose body shows nothing here, and may show everything to the application.

It is too long to be kept, or is written in a way that parsers disagree about. Whoever is held back would only have to
write so, and would be let through: at a login surface such a request counts as a login without a name.
"""

import re
from collections.abc import Iterator

import msgspec

from lapwing.events.messages import HttpRequest
from lapwing.logins import LoginSettings
from lapwing.logins.endpoints import compiled, path_segments
from lapwing.logins.http_fields import MAX_FIELDS, body_fields, body_kind
from lapwing.logins.http_names import field_names

BARE_TYPES = ("", "text/plain", "application/octet-stream")  # of which applications take what they look like
_CHARSET = re.compile(r'charset="?(?!utf-?8\b)', re.IGNORECASE)
_BLANKS = {  # requests with an empty secret, and nothing else
    "form": ("application/x-www-form-urlencoded", "{}="),
    "json": ("application/json", '{{"{}": ""}}'),
    "multipart": (
        "multipart/form-data; boundary=b",
        '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\n\r\n--b--',
    ),
}


def blanks(request: HttpRequest, settings: LoginSettings, *, too_long: bool) -> Iterator[HttpRequest]:
    """What stands for a request that is no login by its body, and goes to a login surface; nothing for others.

    The first of them that is a login is the one.
    """
    endpoints = compiled(settings.endpoints)
    segments = path_segments(request.target)
    if not settings.secret_fields or endpoints.find_any_body(request.method, segments) is None:
        return
    content_type = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    kind = body_kind(content_type, b"{" if too_long else request.body)
    if not (too_long and kind) and not _hides(kind, content_type, request.body, settings):
        return
    headers = [(name, value) for name, value in request.headers if name.lower() != "content-type"]
    for one in (kind,) if kind in _BLANKS else ("form", "json"):
        name, body = _BLANKS[one]
        yield msgspec.structs.replace(
            request, headers=[*headers, ("Content-Type", name)], body=body.format(settings.secret_fields[0]).encode()
        )


def _hides(kind: str | None, content_type: str, body: bytes, settings: LoginSettings) -> bool:
    """Whether a body may present a secret all the same."""
    if not body:
        return False
    if kind is None:
        return content_type.partition(";")[0].strip().casefold() in BARE_TYPES
    if kind == "multipart" or (kind == "form" and _CHARSET.search(content_type)):
        return True
    fields = body_fields(kind, content_type, body)
    if len(fields) >= MAX_FIELDS or (kind == "json" and not fields and not _is_json(body)):
        return True
    return field_names(settings.username_fields, settings.secret_fields).sort_out(fields).secret is not None


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True
