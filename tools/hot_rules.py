"""Rules for the compiled loops, checked on their syntax tree.

A missing bounds check must end as an IndexError with a line number, never as somebody's memory, so: no raw pointers
except to one record that a checked index has just named, no functions that swallow exceptions, no switching the checks
off.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

POINTER_NAMES = ("pointer", "p_char", "p_uchar", "p_void", "address")  # of the `cython` module
POINTER_PREFIXES = ("p_", "pp_")
UNSAFE_DIRECTIVES = {"boundscheck": False, "wraparound": True, "initializedcheck": False, "nonecheck": False}


def faults(source: str) -> Iterator[tuple[int, str]]:
    """Line and reason of everything in `source` the rules forbid."""
    for number, line in enumerate(source.splitlines(), 1):
        if line.startswith("# cython:") and "boundscheck=False" in line.replace(" ", ""):
            yield number, "switches bounds checks off"
    tree = ast.parse(source)
    yield from _walked_pointers(tree)
    harmless = {id(_callee(node)) for node in ast.walk(tree) if _of_one_record(node)}
    for node in ast.walk(tree):
        if id(node) in harmless:
            continue
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "cython":
            yield from _attribute(node)
        elif isinstance(node, ast.Call):
            yield from _call(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cython.cimports.libc"):
            names = {alias.name for alias in node.names} & {"malloc", "calloc", "realloc", "free", "memcpy", "memmove"}
            if names:
                yield node.lineno, f"manages memory itself: {', '.join(sorted(names))}"


def _callee(node: ast.AST) -> ast.expr | None:
    """`f` of `f(x)` and of `f[x]`."""
    if isinstance(node, ast.Call):
        return node.func
    return node.value if isinstance(node, ast.Subscript) else None


def _of_one_record(node: ast.AST) -> bool:
    """`cython.pointer(Record)`, also in brackets or const, and `cython.address(rows[i])`, whose index is checked."""
    callee = _callee(node)
    name = callee.attr if isinstance(callee, ast.Attribute) else ""
    if isinstance(node, ast.Call):
        target = node.args[0] if len(node.args) == 1 else None
    else:
        target = node.slice if isinstance(node, ast.Subscript) else None
    if name == "address":
        return isinstance(node, ast.Call) and isinstance(target, ast.Subscript)
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Attribute) and target.value.attr == "const":
        target = target.slice
    return name == "pointer" and isinstance(target, ast.Name) and target.id[:1].isupper()


def _walked_pointers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Pointers that are indexed or counted on, which leaves the record they were made for."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        annotated = [(arg.arg, arg.annotation) for arg in function.args.args]
        for node in ast.walk(function):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                annotated.append((node.target.id, node.annotation))
        pointers = {name for name, kind in annotated if kind is not None and _of_one_record(kind)}
        for node in ast.walk(function):
            if not isinstance(node, ast.Subscript | ast.BinOp | ast.AugAssign):
                continue
            used = [node.value] if isinstance(node, ast.Subscript) else list(ast.iter_child_nodes(node))
            names = {part.id for part in used if isinstance(part, ast.Name)} & pointers
            if names:
                yield node.lineno, f"walks a pointer: {', '.join(sorted(names))}"


def _attribute(node: ast.Attribute) -> Iterator[tuple[int, str]]:
    if node.attr in POINTER_NAMES or node.attr.startswith(POINTER_PREFIXES):
        yield node.lineno, f"raw pointer: cython.{node.attr}"
    elif node.attr == "noexcept":
        yield node.lineno, "swallows exceptions: cython.noexcept"


def _call(node: ast.Call) -> Iterator[tuple[int, str]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "exceptval":
        for keyword in node.keywords:
            if keyword.arg == "check" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False:
                yield node.lineno, "swallows exceptions: exceptval(check=False)"
    unsafe = UNSAFE_DIRECTIVES.get(name)
    if unsafe is not None and node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value is unsafe:
        yield node.lineno, f"unsafe directive: {name}({unsafe})"


def main() -> int:
    """Check every `hot*.py` and its declarations; 1 when a rule is broken."""
    paths = sorted(Path("src/lapwing").rglob("hot*.py"))
    found = [(path, *fault) for path in paths for fault in faults(path.read_text(encoding="utf-8"))]
    for path, number, reason in found:
        print(f"{path}:{number}: {reason}")
    print(f"{len(paths)} compiled files checked, {len(found)} faults")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
