"""Which requests present credentials, and what they are."""

import re
from base64 import b64decode
from binascii import Error as Base64Error

import msgspec

from lapwing.events.messages import HttpRequest
from lapwing.logins.endpoints import derived_template, path_segments
from lapwing.logins.http_fields import Fields, body_fields, body_kind, form_fields
from lapwing.logins.http_rules import rules_of
from lapwing.logins.settings import LoginSettings

MAX_AUTHORIZATION_CHARS = 4096

_DIGEST_USER = re.compile(r'username="((?:[^"\\]|\\.){0,1024})"', re.IGNORECASE)
_DIGEST_RESPONSE = re.compile(r'[ ,]response="?([0-9a-fA-F]{16,128})', re.IGNORECASE)
# Last segments of surfaces that take a password to set it.
_SETTING_SURFACE = re.compile(
    r"(?:^|[/_.-])(?:regist(?:er|ration|rations)|sign[_-]?up|enroll?|join|reset|forgot|recover|change|invite|install|setup)"
    r"(?:$|[/_.-])"
)


class Credentials(msgspec.Struct, frozen=True, gc=False):
    """What a request presents. `username` and `secret` are as sent, None when not visible."""

    mechanism: str
    endpoint: str
    username: str | None
    secret: str | None


def find_credentials(request: HttpRequest, settings: LoginSettings) -> Credentials | None:
    """Return what `request` presents; None when it is no login."""
    authorization = content_type = ""
    for name, value in request.headers:
        size = len(name)  # compared first: most headers are neither
        if size == 13 and name.lower() == "authorization":
            authorization = value
        elif size == 12 and name.lower() == "content-type":
            content_type = value
    if request.body or "=" in request.target:
        kind, fields = _fields(request, content_type)
        for name, value in fields:
            if name == "grant_type":  # the client's own Basic credentials come with every grant and are no login
                return _granted(value, dict(fields), authorization, _surface(request, kind, settings)[1])
        found = _in_fields(request, kind, fields, settings) if fields else None
        if found is not None:
            return found
    if authorization and settings.http_basic:
        return _in_authorization(authorization, request)
    return None


def _surface(request: HttpRequest, kind: str, settings: LoginSettings) -> tuple[bool, str, str]:
    """Return whether the request goes to a configured surface, the surface's name, and the end of its path."""
    segments = path_segments(request.target)
    template = rules_of(settings).endpoints.find(request.method, segments, kind)
    return template is not None, template or derived_template(request.method, segments), "/".join(segments[-2:])


def _fields(request: HttpRequest, content_type: str) -> tuple[str, Fields]:
    """Return the kind of body and its fields. A GET carries a form in its query, or is a bare page and no login."""
    if request.body:
        kind = body_kind(content_type, request.body)
        return ("", []) if kind is None else (kind, body_fields(kind, content_type, request.body))
    if request.method == "GET" and "=" in request.target:
        return "form", form_fields(request.target.partition("?")[2])
    return "", []


def _in_fields(request: HttpRequest, kind: str, fields: Fields, settings: LoginSettings) -> Credentials | None:
    seen = rules_of(settings).names.sort_out(fields)
    if seen.secret is None or seen.sets_secret:
        return None
    configured, endpoint, path_end = _surface(request, kind, settings)
    if not configured:
        complete = seen.user and seen.secret and not seen.describes_person
        if not settings.any_path or not complete or _SETTING_SURFACE.search(path_end):
            return None
    return Credentials("json" if kind == "json" else "form", endpoint, seen.user, seen.secret)


def _granted(grant: str, fields: dict[str, str], authorization: str, endpoint: str) -> Credentials | None:
    """Read an OAuth token request (RFC 6749 sections 4.3 and 4.4); other grants present no password."""
    if grant == "password":
        return Credentials("oauth-password", endpoint, fields.get("username"), fields.get("password"))
    if grant != "client_credentials":
        return None
    client = _basic(authorization) or (fields.get("client_id"), fields.get("client_secret"))
    return Credentials("oauth-client", endpoint, *client)


def _in_authorization(authorization: str, request: HttpRequest) -> Credentials | None:
    segments = path_segments(request.target)
    surface = derived_template("", segments[:1]).lstrip()
    basic = _basic(authorization)
    if basic is not None:
        return Credentials("basic", f"basic {surface}", *basic)
    if authorization[:7].casefold() != "digest ":
        return None
    user = _DIGEST_USER.search(authorization[:MAX_AUTHORIZATION_CHARS])
    answer = _DIGEST_RESPONSE.search(authorization[:MAX_AUTHORIZATION_CHARS])
    if user is None or answer is None:
        return None
    return Credentials("digest", f"digest {surface}", user[1], None)


def _basic(authorization: str) -> tuple[str | None, str | None] | None:
    """Return user and password of Basic credentials (RFC 7617), None when there are none."""
    scheme, _, encoded = authorization[:MAX_AUTHORIZATION_CHARS].partition(" ")
    if scheme.casefold() != "basic":
        return None
    encoded = encoded.strip()
    try:
        text = b64decode(encoded + "=" * (-len(encoded) % 4)).decode("utf-8", "replace")
    except (Base64Error, ValueError):
        return None
    user, colon, secret = text.partition(":")
    return (user, secret) if colon else None
