"""`lapwing schema`: the JSON Schema of all events."""

import sys

import msgspec

from lapwing.app.exit_codes import ExitCode
from lapwing.events import schema


def run() -> ExitCode:
    """Write it to standard output."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(schema()), indent=2) + b"\n")
    return ExitCode.CLEAN
