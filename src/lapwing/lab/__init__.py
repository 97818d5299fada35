"""How good detection is: labelled login traffic from seeds, judged, measured and written down.

Not here: any threshold. The lab runs what is configured and reports what comes out, losing families too.
"""

from lapwing.lab.baselines import BASELINES
from lapwing.lab.compare import Standing, Stopped, compare, expanded, standing_table, stopped, stopped_table
from lapwing.lab.evaluate import Measured, evaluate
from lapwing.lab.families import FAMILIES, Family
from lapwing.lab.pace import Pace, measure_pace
from lapwing.lab.plot import check_plot, draw
from lapwing.lab.report import figures, page
from lapwing.lab.search import BEHAVIOURS, LONG_DAYS, Unseen, search, search_baseline, search_table

__all__ = [
    "BASELINES",
    "BEHAVIOURS",
    "FAMILIES",
    "LONG_DAYS",
    "Family",
    "Measured",
    "Pace",
    "Standing",
    "Stopped",
    "Unseen",
    "check_plot",
    "compare",
    "draw",
    "evaluate",
    "expanded",
    "figures",
    "measure_pace",
    "page",
    "search",
    "search_baseline",
    "search_table",
    "standing_table",
    "stopped",
    "stopped_table",
]
