# cython: infer_types=True, cpow=True
"""All that is said against one login, as numbers: there is one such object, and a login writes over what was before.

Most tries of an attack are answered by what stands against their source already, and nobody asks for reasons. So
trackers write numbers into places that are known before, one for each kind of reason, and a `Reason` is made of them
only where one is read or kept.
Runs compiled, typed by `evidence.pxd`, and as it stands.
"""

from typing import Any

from lapwing.detect import plainly as natively
from lapwing.detect.reasons import Reason

GROUPS = ("account", "fingerprint", "credential", "source", "network", "site")  # evidence comes in this order
SOURCE_GROUP = 3
KINDS = (  # of reasons, in the order in which a verdict gives them; at most 25
    ("account-sources", "account"),
    ("account-secrets", "account"),
    ("account-strangers", "account"),
    ("default-name", "account"),
    ("fingerprint-group", "fingerprint"),
    ("shared-secret", "credential"),
    ("pair-secrets", "source"),
    ("machine-pace", "source"),
    ("no-such-account", "source"),
    ("source-accounts", "source"),
    ("source-tries", "source"),
    ("one-client", "source"),
    ("persistence", "source"),
    ("strange-client", "source"),
    ("network-group", "network"),
    ("site-failures", "site"),
    ("strays", "site"),
    ("hour-of-week", "site"),
    ("unknown-names", "site"),
)
MOST_KINDS = len(KINDS)
NAMES = tuple([name for name, _ in KINDS])
GROUP_OF = dict(KINDS)
(
    ACCOUNT_SOURCES, ACCOUNT_SECRETS, ACCOUNT_STRANGERS, DEFAULT_NAME, FINGERPRINT_GROUP, SHARED_SECRET, PAIR_SECRETS,
    MACHINE_PACE, NO_SUCH_ACCOUNT, SOURCE_ACCOUNTS, SOURCE_TRIES, ONE_CLIENT, PERSISTENCE, STRANGE_CLIENT,
    NETWORK_GROUP, SITE_FAILURES, STRAYS, HOUR_OF_WEEK, UNKNOWN_NAMES,
) = range(MOST_KINDS)  # fmt: skip


def kinds_of(group: str) -> int:
    """The kinds of `group`, a bit for each."""
    return sum([1 << kind for kind, (_, own) in enumerate(KINDS) if own == group])


SOUGHT = 1 << ACCOUNT_STRANGERS | 1 << DEFAULT_NAME
VOLUME = 1 << PAIR_SECRETS | 1 << SOURCE_ACCOUNTS | 1 << SOURCE_TRIES
"""Views of the same tries of a source, of which the strongest counts."""

_NAMES = NAMES
_VOLUME = VOLUME
_MASKS = [0] * 6
_FIRSTS = [0] * 7
_group = 0
for _group in range(6):
    _MASKS[_group] = kinds_of(GROUPS[_group])
    _FIRSTS[_group + 1] = _FIRSTS[_group] + _MASKS[_group].bit_count()


class Evidence:
    """`present` has a bit for each kind that was found; its numbers are those of a `Reason`.

    `known`: the account has logged in from there before. `beside` are reasons that the login's context gives.
    """

    def __init__(self) -> None:
        self.present = 0
        self.known = False
        self.beside: tuple[Reason, ...] = ()
        self.values = [0.0] * 19
        self.thresholds = [0.0] * 19
        self.weights = [0.0] * 19

    def clear(self) -> int:
        """Nothing is said of the next login yet."""
        self.present = 0
        self.known = False
        self.beside = ()
        return 0

    def put(self, kind: int, value: float, threshold: float, weight: float) -> int:
        """`value` exceeds `threshold` (what is ordinary), which weighs `weight` log-odds."""
        self.present |= 1 << kind
        self.values[kind] = value
        self.thresholds[kind] = threshold
        self.weights[kind] = weight
        return 0

    def add(self, reason: Reason) -> int:
        """The same as a `Reason`, of one of `KINDS`."""
        return self.put(NAMES.index(reason.name), reason.value, reason.threshold, reason.weight)

    def drop(self, kinds: int) -> int:
        """Take back what was said, a bit for each kind."""
        self.present &= ~kinds
        return 0

    def says(self, group: int) -> bool:
        """Whether there is anything of the group of this number."""
        return self.present & _MASKS[group] != 0

    def sum(self, group: int, but: int) -> float:
        """What is there of a group weighs so much together, without the kinds whose bits are in `but`.

        Of a source's own tries the strongest view counts.
        """
        volume = extra = 0.0
        bits = self.present & _MASKS[group] & ~but
        if bits & (bits - 1) == 0:  # one at most, as a rule
            return self.weights[natively.trailing(bits)] if bits != 0 else 0.0
        while bits != 0:
            kind = natively.trailing(bits)
            if _VOLUME >> kind & 1:
                volume = max(volume, self.weights[kind])
            else:
                extra += self.weights[kind]
            bits &= bits - 1
        return volume + extra

    def of(self, group: int) -> list[Reason]:
        """What is there of a group, to be kept."""
        first, last = _FIRSTS[group], _FIRSTS[group + 1]
        return [self.reason(kind) for kind in range(first, last) if self.present >> kind & 1]

    def reason(self, kind: int) -> Reason:
        """One of those that are there."""
        name: Any = _NAMES[kind]
        return Reason(name, self.values[kind], self.thresholds[kind], self.weights[kind])
