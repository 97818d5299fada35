"""Which bodies of HTTP are files, and what is said of them."""

from lapwing.protocols.files.entities import Entities, name_in
from lapwing.protocols.files.reader import Declared, FileReader

Headers = list[tuple[str, str]]

# What a client sends as one of these may hold a password, and a digest of it is something to try passwords against.
_FORMS = ("application/x-www-form-urlencoded", "text/", "multipart/")
_STRUCTURED = ("json", "xml")  # endings of kinds that requests of programs have


def body_reader(headers: Headers, from_client: bool) -> FileReader | Entities:
    """Make what reads the body of a message with these header fields."""
    declared = _declared(headers)
    kind = declared.kind or ""
    if kind.startswith("multipart/") and not declared.coding:
        return form_reader(headers, from_client)
    secret = from_client and (not kind or kind.startswith(_FORMS) or kind.endswith(_STRUCTURED))
    return FileReader(declared, digested=not secret)


def form_reader(headers: Headers, from_client: bool) -> Entities:
    """Make what reads a body of several parts."""
    value = _value(headers, "content-type") or ""
    return Entities(fields=f"Content-Type: {value}\r\n".encode("latin-1", "replace"), named_only=from_client)


def _declared(headers: Headers) -> Declared:
    kind = (_value(headers, "content-type") or "").partition(";")[0].strip().lower()
    size = _value(headers, "content-length") or ""
    coding = (_value(headers, "content-encoding") or "").strip().lower()
    return Declared(
        kind or None,
        name_in(_value(headers, "content-disposition")),
        int(size) if size.isascii() and size.isdigit() and len(size) < 19 else None,
        "" if coding == "identity" else coding,
    )


def _value(headers: Headers, name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name), None)
