"""What each setting means, taken from where it is defined, so that it is written once."""

import ast
import inspect
import re
import textwrap
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import msgspec

from lapwing.app.configuration import leaves, sections
from lapwing.app.type_words import in_words


class Description(NamedTuple):
    """One setting: key path, type in words, allowed values in words, default, meaning."""

    path: str
    type: str
    allowed: str
    default: Any
    meaning: str


def describe() -> Iterator[Description]:
    """Every setting in order."""
    meanings = {
        f"{prefix}{name}": text for prefix, struct in sections() for name, text in field_docstrings(struct).items()
    }
    for path, hint, default in leaves():
        word, allowed = in_words(hint)
        yield Description(path, word, allowed, default, meanings.get(path, ""))


def field_docstrings(struct: type[msgspec.Struct]) -> dict[str, str]:
    """What a settings struct says of each field: the string below it, the comment beside it, or its own docstring."""
    source = textwrap.dedent(inspect.getsource(struct))
    lines = source.splitlines()
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for node, after in zip(definition.body, [*definition.body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
            found[node.target.id] = " ".join(after.value.value.split())
        else:
            comment = lines[(node.end_lineno or node.lineno) - 1].partition("  # ")[2]
            found[node.target.id] = comment.strip()
    return found | _listed(ast.get_docstring(definition) or "", found)


def _listed(docstring: str, fields: Collection[str]) -> dict[str, str]:
    """Meanings listed in a docstring, each beginning a line: "`one`, `other`: what they mean"."""
    entries = re.split(r"^(?=(?:`\w+`(?:, )?)+: )", docstring, flags=re.MULTILINE)[1:]
    listed: dict[str, str] = {}
    for entry in entries:
        names, _, meaning = entry.partition(": ")
        text = " ".join(meaning.partition("\n\n")[0].split())
        listed |= {name: text[:1].upper() + text[1:] for name in re.findall(r"\w+", names) if name in fields}
    return listed
