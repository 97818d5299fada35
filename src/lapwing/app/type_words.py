"""Types of settings in words, for messages and for the reference."""

from typing import Any, Literal, get_args, get_origin

import msgspec


def in_words(hint: Any) -> tuple[str, str]:
    """A type and what it allows: `("integer", "1 to 65,536")`."""
    if get_origin(hint) is Literal:
        return "text", " or ".join(f"`{one}`" for one in get_args(hint))
    metas = getattr(hint, "__metadata__", ())
    bare = get_args(hint)[0] if metas else hint
    ranges = [_range(meta) for meta in metas if isinstance(meta, msgspec.Meta)]
    if get_origin(bare) is Literal:
        return in_words(bare)
    words = {int: "integer", float: "number", bool: "true or false", str: "text"}
    return words.get(bare) or _many(bare, words), "; ".join(filter(None, ranges))


def _many(bare: Any, words: dict[Any, str]) -> str:
    """A list; of how many, where that is fixed."""
    if get_origin(bare) not in (list, tuple, frozenset):
        return str(bare)
    parts = get_args(bare)
    if get_origin(bare) is not tuple or Ellipsis in parts or parts[0] not in words:
        return "list"
    return f"list of {len(parts)} {words[parts[0]]}s"


def _range(meta: msgspec.Meta) -> str:
    low = f"at least {meta.ge:,}" if meta.ge is not None else f"above {meta.gt:,}" if meta.gt is not None else ""
    high = f"at most {meta.le:,}" if meta.le is not None else f"below {meta.lt:,}" if meta.lt is not None else ""
    length = f"at least {meta.min_length} long" if meta.min_length is not None else ""
    return ", ".join(filter(None, (low, high, length)))
