# cython: infer_types=True, cpow=True
"""Findings in words and numbers: what kind of attack an episode shows, and one sentence about it.

Runs compiled, typed by `findings.pxd`, and as it stands.
"""

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from lapwing.detect import slabs
from lapwing.detect.addresses import address_text
from lapwing.detect.decay import HOUR_NS, SECOND_NS
from lapwing.detect.episode import Episode, load_episode
from lapwing.detect.login import Keyring
from lapwing.detect.reasons import Reason, evidence_of
from lapwing.detect.rows import Tally
from lapwing.detect.verdict import risk_of
from lapwing.events import Finding, FindingKind, Severity

if TYPE_CHECKING:
    import cython  # for the compiler, which takes this for a class from here alone
else:
    from lapwing.detect import plainly as cython

TECHNIQUES: dict[str, list[str]] = {
    "password-guessing": ["T1110.001"],
    "targeted-account": ["T1110.001"],
    "password-spraying": ["T1110.003"],
    "credential-stuffing": ["T1110.004"],
    "low-and-slow": ["T1110"],
    "velocity-spike": ["T1110"],
    "account-takeover": ["T1078"],
}
FEW_ACCOUNTS = 3  # up to here many secrets are guessing, whatever the order
SPRAY_REUSE = 3.0  # tries for each secret from which it was the secret that was fixed, not the account
GUESSES = 3.0  # tries for each account from which it was the account that was fixed
SLOW_SHARE = 0.65  # of a day's tries within the last hour; a burst has all of them there
SLOW_BURST = 3.0  # tries within five minutes that a slow attack stays below
HIGH_LOG_ODDS = 3.0  # 95 %: from here a finding is high, below it medium
SECOND = SECOND_NS


@cython.no_gc
@cython.cclass  # lowest: the other may be said of such a class only
class OpenFinding:
    """A finding that has been raised. `group` and `key` say which record it stands on.

    Where the subject is an account, `named` holds its hash and sealed name, and `subject` is empty.
    """

    def __init__(
        self,
        kind: FindingKind,
        group: str,
        key: int,
        episode: Episode,
        *,
        finding_id: str,
        subject_kind: str,
        subject: str,
        log_odds: float,
        reasons: list[Reason],
        touched_ns: int,
        named: bytes = b"",
    ) -> None:
        self.finding_id = finding_id
        self.kind: FindingKind = kind
        self.group = group
        self.key = key
        self.subject_kind = subject_kind
        self.subject = subject
        self.episode = episode  # with what its logins look at, which is the only thing most of them have to fetch
        self.log_odds = log_odds
        self.reasons = reasons
        self.touched_ns = touched_ns
        self.named = named
        self.told_failures = 0
        self.told_severity = Severity.INFO
        self.note = ""

    @property
    def touched_ns(self) -> int:
        """When the latest login of it failed."""
        return self.episode.touched_ns

    @touched_ns.setter
    def touched_ns(self, now_ns: int) -> None:
        self.episode.touched_ns = now_ns

    def dump(self) -> list[Any]:
        """All there is, for a snapshot."""
        values = [getattr(self, name) for name in _FIELDS]
        values[_FIELDS.index("reasons")] = [reason.dump() for reason in self.reasons]
        return [*values, self.episode.dump()]


slabs.keep(OpenFinding)
_FIELDS = (
    "kind", "group", "key", "finding_id", "subject_kind", "subject", "log_odds", "reasons", "touched_ns", "named",
    "told_failures", "told_severity", "note",
)  # fmt: skip


def load_finding(state: list[Any]) -> OpenFinding:
    """What `OpenFinding.dump` gave."""
    values = dict(zip(_FIELDS, state, strict=False))
    found = OpenFinding(
        values.pop("kind"),
        values.pop("group"),
        values.pop("key"),
        load_episode(state[-1]),
        reasons=[Reason(*reason) for reason in values.pop("reasons")],
        **{name: values.pop(name) for name in _FIELDS[3:10] if name != "reasons"},
    )
    found.told_failures, found.told_severity = values["told_failures"], Severity(values["told_severity"])
    found.note = values["note"]
    return found


def shape(episode: Episode) -> FindingKind:
    """Which attack the counts of an episode show, its pace apart."""
    accounts, secrets = episode.accounts.count, episode.secrets.count
    if accounts <= FEW_ACCOUNTS:
        return "password-guessing"
    each_account = episode.failures / accounts
    if secrets and episode.unseen * 2 < episode.failures:
        each_secret = episode.failures / secrets
        if each_secret >= SPRAY_REUSE and each_secret > each_account:
            return "password-spraying"
    elif GUESSES > each_account > GUESSES / 2:
        return "password-spraying"  # secrets not visible: rounds over the same accounts
    return "password-guessing" if each_account >= GUESSES else "credential-stuffing"


def is_slow(row: Tally, episode: Episode) -> bool:
    """Whether the tries come at a pace that counts per minutes never see."""
    if not row.failing or episode.last_ns - episode.first_ns < HOUR_NS:
        return False
    return row.tries_h < SLOW_SHARE * row.tries_d and row.tries_m < SLOW_BURST


def finding_id(kind: str, subject_kind: str, subject: str, episode: Episode) -> str:
    """Sixteen hex digits that the same input always gives: no key, no chance, no clock."""
    facts = f"{kind}\0{subject_kind}\0{subject}\0{episode.first_ns}\0{episode.first_source}"
    return blake2b(facts.encode("utf-8", "replace"), digest_size=8).hexdigest()


def severity_of(found: OpenFinding) -> Severity:
    """One function for all findings, growing with the risk (W28)."""
    if found.kind == "account-takeover":
        return Severity.CRITICAL if found.log_odds >= HIGH_LOG_ODDS else Severity.HIGH
    if found.kind == "velocity-spike":
        return Severity.LOW
    return Severity.HIGH if found.log_odds >= HIGH_LOG_ODDS else Severity.MEDIUM


def build(event: type[Finding], found: OpenFinding, keyring: Keyring, ts_ns: int) -> Finding:
    """The event that tells `found` now."""
    episode = found.episode
    accuses = found.kind != "velocity-spike"  # a spike accuses nobody: most of those in it may have mistyped
    return event(
        ts_ns=ts_ns,
        finding_id=found.finding_id,
        finding=found.kind,
        severity=severity_of(found),
        risk=round(risk_of(found.log_odds), 4),
        subject_kind=found.subject_kind,
        subject=subject_of(found, keyring),
        protocols=_protocols(episode, keyring),
        techniques=list(TECHNIQUES[found.kind]),
        first_ts_ns=episode.first_ns,
        last_ts_ns=episode.last_ns,
        attempt_count=episode.attempts,
        failure_count=episode.failures,
        success_count=episode.successes,
        source_count=episode.sources.count,
        account_count=episode.accounts.count,
        sources=episode.addresses() if accuses else [],
        accounts=[keyring.unseal(name) for name in episode.named] if accuses else [],
        evidence=[evidence_of(reason) for reason in found.reasons],
        sample_seqs=list(episode.seqs),
        sentence=sentence_of(found, keyring),
    )


def subject_of(found: OpenFinding, keyring: Keyring) -> str:
    """What the finding is about, readable."""
    return keyring.unseal(found.named) if found.named else found.subject


def sentence_of(found: OpenFinding, keyring: Keyring) -> str:
    """The finding in one English sentence with its numbers."""
    episode = found.episode
    if found.kind == "account-takeover":
        return _takeover(found, keyring)
    names = ", ".join(name.upper() for name in _protocols(episode, keyring))
    over = f"over {names} in {duration(episode.last_ns - episode.first_ns)}"
    outcome = f"{episode.failures:,} failed, {episode.successes:,} succeeded{_inferred(episode)}{found.note}."
    if found.kind == "velocity-spike":
        return (
            f"{plural(episode.sources.count, 'source')} failed on {plural(episode.accounts.count, 'account')} "
            f"unknown to them {over}, far more than usual; {outcome}"
        )
    return f"{_who(found)} {_what(found, keyring)} {over}; {outcome}"


def _protocols(episode: Episode, keyring: Keyring) -> list[str]:
    return [keyring.protocol_name(number) for number in episode.protocols]


def _who(found: OpenFinding) -> str:
    sources = plural(found.episode.sources.count, "source")
    if found.subject_kind == "source":
        return found.subject
    if found.subject_kind == "network":
        return f"{sources} of {found.subject}"
    if found.subject_kind == "fingerprint":
        return f"{sources} with one client fingerprint"
    return sources


def _what(found: OpenFinding, keyring: Keyring) -> str:
    episode = found.episode
    secrets = f" with {plural(episode.secrets.count, 'different password')}" if episode.secrets.count else ""
    if episode.accounts.count == 0:
        tries = plural(episode.attempts, "login")
        return f"tried {tries}{secrets} (username not visible)"
    if found.kind == "targeted-account":
        return f"tried the account {subject_of(found, keyring)}{secrets}"
    if episode.accounts.count == 1 and episode.named:
        return f"tried the account {keyring.unseal(episode.named[0])}{secrets}"
    return f"tried {plural(episode.accounts.count, 'account')}{secrets}"


def _takeover(found: OpenFinding, keyring: Keyring) -> str:
    episode, account = found.episode, subject_of(found, keyring)
    failed = f"after {plural(episode.failures, 'failed login')} on it" if episode.failures else ""
    names = {reason.name for reason in found.reasons}
    why = [
        text
        for name, text in (
            ("suspect-source", "its source was attacking other accounts"),
            ("suspect-client", "its client software was attacking other accounts"),
            ("suspect-secret", "its password was tried on many accounts"),
            ("attackers-client", "its client software is that of the failed tries"),
            ("unfamiliar-place", "the account had never logged in from there"),
            ("impossible-travel", "nobody travels that fast from where it logged in before"),
            ("changed-after-login", "what the account is kept by was changed right after"),
            ("new-device-nearby", "the account had never logged in with that client software"),
        )
        if name in names
    ]
    source = address_text(*episode.places[0]) if episode.places else "an unknown source"
    over = ", ".join(name.upper() for name in _protocols(episode, keyring))
    parts = "; ".join(part for part in (failed, *why) if part)
    if "second-factor-failed" in names:
        known = f"{source} probably knows the password of {account}"
        return f"{known}: only the second factor over {over} failed{_join(parts)}."
    if found.subject_kind == "source":
        account = "An account (name not visible)"
    return f"{account} was probably taken over from {source}: a login over {over} succeeded{_join(parts)}."


def _join(parts: str) -> str:
    return f" {parts}" if parts.startswith("after") else f"; {parts}" if parts else ""


def _inferred(episode: Episode) -> str:
    return " (outcomes inferred from the encrypted session)" if episode.inferred * 2 > episode.attempts else ""


def plural(count: int, noun: str) -> str:
    """`1 account`, `2 accounts`, `12,345 accounts`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(ns: int) -> str:
    """`4 min 10 s`, `3 h 5 min`, `2 d 1 h`."""
    seconds = max(ns, 0) // SECOND
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {seconds % 60} s"
    return f"{seconds} s" if seconds else "under 1 s"
