"""What people plant: addresses, pages, documents and configuration that call back when somebody uses them.

Pure functions: a token's names and fresh entropy in, a file or a line of text out. Secrets that lookalikes show are
made of the entropy, so no two are alike and none is real. Storing tokens and hearing of hits is done elsewhere.
"""

from lapwing.callbacks.planting.kinds import KINDS, Kind, no_kind, plant
from lapwing.callbacks.planting.names import NOTHING_HERE, Artefact, Names, Wishes

__all__ = ["KINDS", "NOTHING_HERE", "Artefact", "Kind", "Names", "Wishes", "no_kind", "plant"]
