"""The compiled and the plain build of detection say the same."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

SCRIPT = """
import sys
from importlib.machinery import PathFinder
from importlib.util import spec_from_file_location


class Plain:
    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target) if name.startswith("lapwing.detect.") else None
        if spec is None or not spec.origin.endswith(".so"):
            return None
        return spec_from_file_location(name, spec.origin.partition(".")[0] + ".py")


if sys.argv[1] == "plain":
    sys.meta_path.insert(0, Plain)
import msgspec
from lapwing.detect import Detector, detector
from lapwing.testing.logins import guess_here_login_there, nat, stuffing_distributed, targeted
assert detector.__file__.endswith(".py") == (sys.argv[1] == "plain"), detector.__file__
for build in (stuffing_distributed, targeted, nat, guess_here_login_there):
    subject = Detector()
    events = build(7).events
    for event in events:
        for told in subject.observe(event):
            print(msgspec.json.encode(told).decode())
        print(subject.verdict)
    subject.restore(subject.snapshot())
    for told in subject.finish(events[-1].ts_ns):
        print(msgspec.json.encode(told).decode())
"""


@pytest.mark.skipif(
    (find_spec("lapwing.detect.detector") or sys).origin.endswith(".py"),  # type: ignore[union-attr]
    reason="detection is not compiled here: make build",
)
def test_the_compiled_build_says_byte_for_byte_what_the_plain_one_says() -> None:
    said = [
        subprocess.run([sys.executable, "-c", SCRIPT, kind], capture_output=True, check=True).stdout
        for kind in ("plain", "compiled")
    ]
    assert len(said[0]) > 100_000
    assert said[0] == said[1]
