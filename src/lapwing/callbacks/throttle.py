"""Which hits of planted tokens somebody is told of. All of them are kept; this decides about the telling alone.

One in a while per token. A hit that says more is told all the same: the visitor after the resolver that looked the
name up for them, and both after a mail gateway that looks at every link.
"""

from collections import OrderedDict
from hashlib import blake2b

from lapwing.callbacks.interaction import DnsInteraction, Interaction
from lapwing.callbacks.noise import Noise, NoiseMarker, NoiseRules, asked

SECOND_NS = 1_000_000_000
MAX_ASKED = 65_536  # questions remembered to know their repetition; the longest unasked is forgotten first
MAX_TOKENS = 65_536  # tokens whose alerts are remembered; of a forgotten one the store knows the last

DOUBTFUL, LOOKED_UP, REACHED = range(3)  # how telling a hit is

Doubts = frozenset[Noise]


class Throttle:
    """What was asked and told lately, within bounds."""

    def __init__(self, rules: NoiseRules | None = None) -> None:
        self._marker = NoiseMarker(rules)
        self._asked: OrderedDict[bytes, None] = OrderedDict()
        self._told: OrderedDict[str, list[int | None]] = OrderedDict()

    def look(self, hit: Interaction, *, every_s: int, last_ns: int | None = None) -> Doubts | None:
        """Return the reasons to doubt a hit somebody is to be told of; None when nobody is.

        `last_ns` is when the store says that somebody was told the last time, `every_s` how often at most.
        """
        doubts = self._marker.mark(hit)
        if self._repeated(hit):
            doubts |= {Noise.REPEAT}
        weight = DOUBTFUL if doubts else LOOKED_UP if isinstance(hit, DnsInteraction) else REACHED
        told = self._told_of(hit.unique_id, last_ns)
        if any(at is not None and hit.ts_ns - at < every_s * SECOND_NS for at in told[weight:]):
            return None
        told[weight] = hit.ts_ns
        return doubts

    def _told_of(self, name: str, last_ns: int | None) -> list[int | None]:
        """When somebody was told of a token, by how telling the hit was."""
        told = self._told.get(name)
        if told is None:
            told = self._told[name] = [last_ns, None, None]
            if len(self._told) > MAX_TOKENS:
                self._told.popitem(last=False)
        self._told.move_to_end(name)
        return told

    def _repeated(self, hit: Interaction) -> bool:
        question = repr((hit.unique_id, asked(hit))).encode("utf-8", "surrogatepass")
        digest = blake2b(question, digest_size=16).digest()
        known = digest in self._asked
        self._asked[digest] = None
        self._asked.move_to_end(digest)
        if len(self._asked) > MAX_ASKED:
            self._asked.popitem(last=False)
        return known
