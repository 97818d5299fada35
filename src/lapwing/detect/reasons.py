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


LARGE = 100.0  # counts from here on are said without tenths, which tell nobody anything there

# `whole` and `whole_threshold` are value and threshold without tenths.
SENTENCES = {
    "source-accounts": "{value} accounts failed from this source and did not log in; {threshold} are ordinary",
    "source-tries": "{value} different tries failed from this source; {threshold} are ordinary",
    "pair-secrets": "{value} different wrong secrets for one account from one source; {threshold} are ordinary",
    "one-client": "{value} accounts failed from this source with one client; {threshold} are ordinary",
    "strange-client": "nobody else was seen to log in with its client software; few people bring such ones",
    "persistence": "failed in {whole} of the last 24 hours; {whole_threshold} are ordinary",
    "machine-pace": "{value} different tries came faster than anyone types",
    "network-group": "{whole} sources of this network fail together; {whole_threshold} are ordinary",
    "fingerprint-group": "{whole} sources with this client fingerprint fail together; {whole_threshold} are ordinary",
    "shared-secret": "one wrong secret was tried on {whole} accounts; {threshold} are ordinary",
    "account-sources": "{value} sources unknown to this account fail on it; {whole_threshold} are ordinary",
    "account-secrets": "{value} different wrong secrets from unknown places; {whole_threshold} are ordinary",
    "account-strangers": "{whole} sources failed within days on this account, which nobody was seen to log in to",
    "default-name": "the name is one that devices and services come with, and nobody was seen to log in with it",
    "no-such-account": "{value} tries on a name that the server does not have; {threshold} are ordinary",
    "strays": "{whole} accounts failed within days from places that never logged in; {whole_threshold} are usual",
    "asn-group": "{whole} sources of this network operator fail together; {whole_threshold} are ordinary",
    "leaked-secret": "its secret is in a list of leaked ones",
    "second-factor-passed": "a second factor was shown",
    "second-factor-failed": "the secret was right, the second factor was not",
    "impossible-travel": "{whole} km/h since its last login; {whole_threshold} are possible",
    "new-country": "the account has logged in before, never from this country",
    "changed-after-login": "what the account is kept by was changed right after the login",
    "source-guessed": "{value} tries failed from this source before, on accounts that are not visible",
    "unknown-names": "{whole} names that the server does not have were tried from as many places; {whole_threshold} "
    "are usual",
    "hour-of-week": "{whole} accounts failed from unknown places in this hour; {whole_threshold} are usual in it",
    "site-failures": "{whole} accounts failed from unknown places within about an hour; {whole_threshold} are usual",
    "known-pair": "this account has logged in from this source before",
    "account-attacked": "{value} different wrong secrets were tried on the account from places unknown to it",
    "suspect-source": "its source is attacking other accounts",
    "suspect-client": "its client software is attacking other accounts",
    "suspect-secret": "its secret was tried on many accounts",
    "unfamiliar-place": "the account has logged in before, but never from this source or network",
    "new-device-nearby": "the account has logged in from this network before, never with this client software",
    "known-network": "the account has logged in from this network before",
    "no-history": "the account was not seen to log in before",
    "attackers-client": "its client software is that of the failed tries",
    "guessed-here": "{value} different wrong secrets came from the same source just before",
    "many-good-logins": "{value} accounts log in well there, so this login may be one of them",
}


def evidence_of(reason: Reason) -> Evidence:
    """The reason as it appears in a finding."""
    sentence = SENTENCES[reason.name].format(
        value=_said(reason.value),
        threshold=_said(reason.threshold),
        whole=f"{reason.value:,.0f}",
        whole_threshold=f"{reason.threshold:,.0f}",
    )
    return Evidence(
        name=reason.name,
        value=round(reason.value, 3),
        threshold=round(reason.threshold, 3),
        weight=round(reason.weight, 3),
        sentence=sentence,
    )


def _said(number: float) -> str:
    """`5.9`, `12,346`."""
    return f"{number:,.0f}" if number >= LARGE else f"{number:.1f}"


def total(reasons: tuple[Reason, ...]) -> float:
    """Their weights together."""
    return sum([r.weight for r in reasons])
