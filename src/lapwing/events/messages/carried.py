"""Files that messages carry."""

import msgspec


class CarriedFile(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A file inside of a message: only where files are read (`read(..., files=True)`), and never its content.

    `mime_type` is what the first bytes show, None where they show nothing; `declared_type` is what the sender says.
    `seen_bytes` are those of the file itself, with its transfer or content coding taken off; `missing_bytes` never
    came. `total_bytes` is the size that was announced, None when none was, or of the coded form only.
    The digests, in hex, are None unless every byte was read; of what a client sends in a form, or as text, there are
    none: who has one could try passwords against it. `depth` is the place of the file among the parts of its message.
    """

    seen_bytes: int
    missing_bytes: int = 0
    total_bytes: int | None = None
    mime_type: str | None = None
    declared_type: str | None = None
    name: str | None = None
    md5: str | None = None
    sha1: str | None = None
    sha256: str | None = None
    depth: int = 1
