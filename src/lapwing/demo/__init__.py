"""The demo capture and its labels: a recorded working day with eleven attacks in it.

README.md beside this file describes both.
Recorded by `tools/record_demo` from real daemons and real clients; `lapwing demo` reads it.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["capture_path", "labels"]


def capture_path() -> Path:
    """Where the installed `demo.pcap` lies."""
    return Path(str(files(__name__) / "demo.pcap"))


def labels() -> dict[str, Any]:
    """The labels as one document; README.md describes every key. Times are RFC 3339 text in UTC."""
    return msgspec.json.decode((files(__name__) / "labels.json").read_bytes(), type=dict[str, Any])
