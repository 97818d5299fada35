"""Settings written as TOML, which the standard library only reads."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec


def toml_value(value: Any) -> str:
    """One value as TOML. JSON's strings, numbers and booleans are TOML's; tables are written inline."""
    plain = msgspec.to_builtins(value)
    if isinstance(plain, list | tuple | set | frozenset):
        items = [toml_value(one) for one in plain]
        joined = ", ".join(items)
        return f"[{joined}]" if len(joined) < 80 else "[\n" + "".join(f"    {item},\n" for item in items) + "]"
    if isinstance(plain, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml_value(one)}" for key, one in plain.items()) + "}"
    if isinstance(plain, int) and not isinstance(plain, bool):
        return f"{plain:_}"
    return json.dumps(plain, ensure_ascii=False)


def toml_document(entries: Iterable[tuple[str, str, list[str]]]) -> str:
    """Lines of `(key path, text after the key, comment lines above)`, grouped into their sections in order."""
    out: list[str] = []
    current = None
    for path, text, comments in entries:
        section, _, name = path.rpartition(".")
        if section != current:
            current = section
            out += ["", f"[{section}]"] if out else [f"[{section}]"]
        out += [f"# {line}" for line in comments]
        out.append(f"{name} = {text}")
    return "\n".join(out) + "\n"
