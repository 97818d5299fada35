"""How good detection is: labelled login traffic from seeds, judged, measured and written down.

Not here: any threshold. The lab runs what is configured and reports what comes out, losing families too.
"""

from lapwing.lab.evaluate import Measured, evaluate
from lapwing.lab.families import FAMILIES, Family
from lapwing.lab.pace import Pace, measure_pace
from lapwing.lab.report import figures, page

__all__ = ["FAMILIES", "Family", "Measured", "Pace", "evaluate", "figures", "measure_pace", "page"]
