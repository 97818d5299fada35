"""What logins mean: attacks and taken-over accounts, with the evidence, from a stream of login events.

Not here: where logins come from (`logins`), who is behind an address (`actors`), enforcing a decision.
"""

from lapwing.detect.contract import Detects
from lapwing.detect.detector import Detector
from lapwing.detect.settings import DetectSettings
from lapwing.detect.verdict import Verdict

__all__ = ["DetectSettings", "Detector", "Detects", "Verdict"]
