"""Fields of a request: query, forms, multipart and JSON bodies as one flat list of names and texts, bounded."""

import re
import zlib
from urllib.parse import unquote_plus

import msgspec

MAX_FIELDS = 128  # per message; no login form comes near it
MAX_FIELD_CHARS = 1024  # of a value; longer is cut, for no account name or password is
MAX_JSON_DEPTH = 5  # of objects looked into
MAX_INFLATED_BYTES = 128 * 1024  # of a compressed body

Fields = list[tuple[str, str]]

_FORM_START = re.compile(rb"[A-Za-z_][\w.$:\[\]%+-]{0,99}=")
_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,70})', re.IGNORECASE)
_PART_NAME = re.compile(rb'content-disposition:[^\r\n]{0,200}?[; ]name="?([^";\r\n]{1,200})', re.IGNORECASE)


_USUAL_KINDS = {"application/x-www-form-urlencoded": "form", "application/json": "json"}


def may_have_fields(content_type: str) -> bool:
    """Whether a body of this type can have a kind."""
    return content_type in _USUAL_KINDS or body_kind(content_type, b"{") is not None


def body_kind(content_type: str, body: bytes) -> str | None:
    """Return `form`, `json` or `multipart`; by the look of the body where the type is missing or says text."""
    usual = _USUAL_KINDS.get(content_type)
    if usual is not None:
        return usual
    kind = content_type.partition(";")[0].strip().casefold()
    if kind == "application/x-www-form-urlencoded":
        return "form"
    if kind == "multipart/form-data":
        return "multipart"
    if kind.endswith(("/json", "+json")):
        return "json"
    if kind and kind not in {"text/plain", "application/octet-stream"}:
        return None
    if body[:1] in (b"{", b"["):
        return "json"
    return "form" if _FORM_START.match(body) else None


def body_fields(kind: str, content_type: str, body: bytes) -> Fields:
    """Return the fields of a body; none where it does not parse."""
    if kind == "form":
        return form_fields(body.decode("utf-8", "replace"))
    if kind == "json":
        return json_fields(body)
    boundary = _BOUNDARY.search(content_type)
    return multipart_fields(body, boundary[1].encode("latin-1", "replace")) if boundary else []


def form_fields(text: str) -> Fields:
    """Return the fields of a query or a form-encoded body."""
    fields = []
    for pair in text.split("&", MAX_FIELDS)[:MAX_FIELDS]:
        name, _, value = pair.partition("=")
        if name:
            fields.append((_unquoted(name), _unquoted(value[: MAX_FIELD_CHARS * 3])[:MAX_FIELD_CHARS]))
    return fields


def _unquoted(text: str) -> str:
    if "%" in text:
        return unquote_plus(text)
    return text.replace("+", " ") if "+" in text else text


def multipart_fields(body: bytes, boundary: bytes) -> Fields:
    """Return the fields of a multipart body (RFC 7578), files left out."""
    fields = []
    for part in body.split(b"--" + boundary, MAX_FIELDS + 1)[1 : MAX_FIELDS + 1]:
        head, _, value = part.lstrip(b"\r\n").partition(b"\r\n\r\n")
        name = _PART_NAME.search(head[:MAX_FIELD_CHARS])
        if name is not None and b"filename" not in head:
            text = value.removesuffix(b"\r\n")[:MAX_FIELD_CHARS].decode("utf-8", "replace")
            fields.append((name[1].decode("utf-8", "replace"), text))
    return fields


def json_fields(body: bytes) -> Fields:
    """Return the leaves of a JSON document under the names they have; booleans and numbers as JSON text."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return []
    fields: Fields = []
    _add_leaves(fields, document, "", 0)
    return fields


def _add_leaves(fields: Fields, value: object, name: str, depth: int) -> None:
    if len(fields) == MAX_FIELDS or value is None:
        return
    if isinstance(value, str):
        fields.append((name, value[:MAX_FIELD_CHARS]))
    elif isinstance(value, bool):
        fields.append((name, "true" if value else "false"))
    elif isinstance(value, dict):
        if depth < MAX_JSON_DEPTH:
            for key, inner in value.items():
                _add_leaves(fields, inner, key, depth + 1)
    elif isinstance(value, list):
        if depth < MAX_JSON_DEPTH:
            for inner in value[:MAX_FIELDS]:
                _add_leaves(fields, inner, name, depth + 1)
    else:
        fields.append((name, str(value)[:MAX_FIELD_CHARS]))


def inflated(body: bytes, content_encoding: str) -> bytes:
    """Return the body without gzip or deflate, as far as it goes; empty for a coding that is not known."""
    coding = content_encoding.strip().casefold()
    if coding in {"", "identity"}:
        return body
    if coding not in {"gzip", "x-gzip", "deflate"}:
        return b""
    window = 31 if "gzip" in coding else (15 if body[:1] == b"\x78" else -15)
    try:
        return zlib.decompressobj(window).decompress(body, MAX_INFLATED_BYTES)
    except zlib.error:
        return b""
