# cython: infer_types=True, cpow=True
"""One reason for suspicion with its numbers, and how it is said to people.

Runs compiled, typed by `reasons.pxd`, and as it stands.
"""

from typing import Any

from lapwing.events import Evidence


class Reason:
    """`value` exceeds `threshold` (what is ordinary), which weighs `weight` log-odds. Not to be changed."""

    def __init__(self, name: str, value: float, threshold: float, weight: float) -> None:
        self.name = name
        self.value = float(value)
        self.threshold = float(threshold)
        self.weight = float(weight)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reason) and self.dump() == other.dump()

    def __hash__(self) -> int:
        return hash((self.name, self.value, self.threshold, self.weight))

    def __repr__(self) -> str:
        return f"Reason({self.name!r}, {self.value:.6g}, {self.threshold:.6g}, {self.weight:.6g})"

    def __reduce__(self) -> Any:
        return Reason, (self.name, self.value, self.threshold, self.weight)

    def dump(self) -> list[Any]:
        """All there is, for a snapshot: what `Reason` takes."""
        return [self.name, self.value, self.threshold, self.weight]


SENTENCES = {
    "source-accounts": "{value:.1f} accounts failed from this source and did not log in; {threshold:.1f} are ordinary",
    "source-tries": "{value:.1f} different tries failed from this source; {threshold:.1f} are ordinary",
    "pair-secrets": "{value:.1f} different wrong secrets for one account from one source; {threshold:.1f} are ordinary",
    "one-client": "{value:.1f} accounts failed from this source with one client; {threshold:.1f} are ordinary",
    "strange-client": "nobody else was seen to log in with its client software; few people bring such ones",
    "persistence": "failed in {value:.0f} of the last 24 hours; {threshold:.0f} are ordinary",
    "machine-pace": "{value:.1f} different tries came faster than anyone types",
    "network-group": "{value:.0f} sources of this network fail together; {threshold:.0f} are ordinary",
    "fingerprint-group": "{value:.0f} sources with this client fingerprint fail together; {threshold:.0f} are ordinary",
    "shared-secret": "one wrong secret was tried on {value:.0f} accounts; {threshold:.1f} are ordinary",
    "account-sources": "{value:.1f} sources unknown to this account fail on it; {threshold:.0f} are ordinary",
    "account-secrets": "{value:.1f} different wrong secrets from unknown places; {threshold:.0f} are ordinary",
    "account-strangers": "{value:.0f} sources failed within days on this account, which nobody was seen to log in to",
    "default-name": "the name is one that devices and services come with, and nobody was seen to log in with it",
    "no-such-account": "{value:.1f} tries on a name that the server does not have; {threshold:.1f} are ordinary",
    "strays": "{value:.0f} accounts failed within days from places that never logged in; {threshold:.0f} are usual",
    "asn-group": "{value:.0f} sources of this network operator fail together; {threshold:.0f} are ordinary",
    "leaked-secret": "its secret is in a list of leaked ones",
    "second-factor-passed": "a second factor was shown",
    "second-factor-failed": "the secret was right, the second factor was not",
    "impossible-travel": "{value:,.0f} km/h since its last login; {threshold:,.0f} are possible",
    "new-country": "the account has logged in before, never from this country",
    "changed-after-login": "what the account is kept by was changed right after the login",
    "source-guessed": "{value:.1f} tries failed from this source before, on accounts that are not visible",
    "unknown-names": "{value:.0f} names that the server does not have were tried from as many places; {threshold:.0f} "
    "are usual",
    "hour-of-week": "{value:.0f} accounts failed from unknown places in this hour; {threshold:.0f} are usual in it",
    "site-failures": "{value:.0f} accounts failed from unknown places within about an hour; {threshold:.0f} are usual",
    "known-pair": "this account has logged in from this source before",
    "account-attacked": "{value:.1f} different wrong secrets were tried on the account from places unknown to it",
    "suspect-source": "its source is attacking other accounts",
    "suspect-client": "its client software is attacking other accounts",
    "suspect-secret": "its secret was tried on many accounts",
    "unfamiliar-place": "the account has logged in before, but never from this source or network",
    "new-device-nearby": "the account has logged in from this network before, never with this client software",
    "known-network": "the account has logged in from this network before",
    "no-history": "the account was not seen to log in before",
    "attackers-client": "its client software is that of the failed tries",
    "guessed-here": "{value:.1f} different wrong secrets came from the same source just before",
    "many-good-logins": "{value:.1f} accounts log in well there, so this login may be one of them",
}


def evidence_of(reason: Reason) -> Evidence:
    """The reason as it appears in a finding."""
    sentence = SENTENCES[reason.name].format(value=reason.value, threshold=reason.threshold)
    return Evidence(
        name=reason.name,
        value=round(reason.value, 3),
        threshold=round(reason.threshold, 3),
        weight=round(reason.weight, 3),
        sentence=sentence,
    )


def total(reasons: tuple[Reason, ...]) -> float:
    """Their weights together."""
    return sum([r.weight for r in reasons])
