"""Runs a module of the tests twice, from what is compiled and from the plain files, and tells what each printed."""

import runpy
import subprocess
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, spec_from_file_location
from itertools import zip_longest
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
COMPILED = (".so", ".pyd")
KINDS = ("plain", "compiled")
ROOM = Path(str(getattr(find_spec("lapwing"), "origin", ""))).parent / "detect"  # nothing is imported yet

needs_both = pytest.mark.skipif(
    not any(path.name.endswith(COMPILED) for path in ROOM.glob("detector.*")),
    reason="detection is not compiled here: make build",
)


class Plain:
    """Finds the Python file where there is a compiled one beside it; the loops of `hot*.py` run only compiled."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """See importlib."""
        spec = PathFinder.find_spec(name, path, target) if name.startswith("lapwing.") else None
        if spec is None or not str(spec.origin).endswith(COMPILED) or ".hot" in name:
            return None
        return spec_from_file_location(name, Path(str(spec.origin)).with_name(name.rpartition(".")[2] + ".py"))


def lines_of(module: str, kind: str) -> list[str]:
    """What `module` prints when it runs as the main one."""
    command = [sys.executable, "-m", "tests.builds", kind, module]
    return subprocess.run(command, capture_output=True, check=True, cwd=ROOT, text=True).stdout.splitlines()


def assert_same(module: str, at_least: int) -> None:
    """Both builds print the same lines, and `at_least` so many. The first that differs is told."""
    plain, compiled = (lines_of(module, kind) for kind in KINDS)
    assert len(plain) >= at_least
    for number, pair in enumerate(zip_longest(plain, compiled)):
        assert pair[0] == pair[1], f"line {number} of {module}"


if __name__ == "__main__":
    if sys.argv[1] == "plain":
        sys.meta_path.insert(0, Plain)
    from lapwing.app import guard_core
    from lapwing.detect import detector

    for one in (detector, guard_core):
        if str(one.__file__).endswith(".py") != (sys.argv[1] == "plain"):
            raise SystemExit(f"{one.__name__} came from {one.__file__}")
    runpy.run_module(sys.argv[2], run_name="__main__")
