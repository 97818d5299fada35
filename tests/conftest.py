"""What holds for all tests.

One Hypothesis profile: no test asserts a time, and a run of continuous integration repeats itself. And a compiled
module stands for the Python file beside it, so one that is older than its file would be tested in its place.
"""

import os
from pathlib import Path

import pytest
from hypothesis import settings

import lapwing

settings.register_profile("lapwing", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("lapwing")


def pytest_sessionstart() -> None:
    """Refuses to test modules compiled from files as they are no longer."""
    folder = Path(lapwing.__file__).parent
    stale = [
        source.relative_to(folder)
        for module in folder.rglob("*.so")
        for source in (module.with_name(module.name.partition(".")[0] + ending) for ending in (".py", ".pxd"))
        if source.exists() and source.stat().st_mtime > module.stat().st_mtime
    ]
    if stale:
        pytest.exit(f"newer than what was compiled from it: {', '.join(map(str, stale))}; run make build", returncode=3)
