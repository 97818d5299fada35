"""What logins mean: attacks and taken-over accounts, with the evidence, from a stream of login events.

Not here: where logins come from (`logins`), who is behind an address (`actors`), enforcing a decision.
"""

from lapwing.detect.addresses import source_at, source_text
from lapwing.detect.contract import Detects, LookUp
from lapwing.detect.decisions import Decisions
from lapwing.detect.detector import FILE_KEY, NO_VERDICT, Detector
from lapwing.detect.parts import joined
from lapwing.detect.settings import DetectSettings
from lapwing.detect.verdict import Contribution, Verdict

__all__ = [
    "FILE_KEY",
    "NO_VERDICT",
    "Contribution",
    "Decisions",
    "DetectSettings",
    "Detector",
    "Detects",
    "LookUp",
    "Verdict",
    "joined",
    "source_at",
    "source_text",
]
