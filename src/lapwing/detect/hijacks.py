"""Findings about accounts that were taken over: one for each account."""

from lapwing.detect.addresses import address_text
from lapwing.detect.decay import SECOND_NS
from lapwing.detect.episode import MAX_SAMPLES, Episode
from lapwing.detect.findings import OpenFinding, build, finding_id
from lapwing.detect.login import ADDRESS, Keyring, Login
from lapwing.detect.reasons import Reason, total
from lapwing.detect.settings import DetectSettings
from lapwing.detect.trackers import Glimpse, Hit, Suspicion, Takeovers
from lapwing.events import Finding, FindingClosed, FindingRaised, FindingUpdated

MILLISECOND_NS = 1_000_000


class Hijacks:
    """The open takeover findings, by account."""

    def __init__(self, settings: DetectSettings, keyring: Keyring, takeovers: Takeovers) -> None:
        self._keyring = keyring
        self.follow(settings, takeovers)
        self.open: dict[int, OpenFinding] = {}
        self.refused_count = 0

    def follow(self, settings: DetectSettings, takeovers: Takeovers) -> None:
        """Go on under these settings, with what is open."""
        self._settings = settings
        self._takeovers = takeovers

    def judge(self, hit: Hit, suspicions: tuple[Suspicion, ...], now_ns: int) -> Finding | None:
        """A finding if all that speaks for a takeover makes it likelier than not."""
        reasons = self._takeovers.judge(hit, suspicions)
        log_odds = self._settings.prior + total(reasons)
        if log_odds < self._settings.finding.raise_at:
            return None
        found = self.open.get(hit.account)
        if found is not None:
            return self._add(found, hit, log_odds, reasons, now_ns)
        if len(self.open) >= self._settings.finding.max_open:
            self.refused_count += 1
            return None
        self.open[hit.account] = found = self._raise(hit, log_odds, reasons)
        return build(FindingRaised, found, self._keyring, now_ns)

    def look_back(self, raised: OpenFinding, suspicion: Suspicion, now_ns: int) -> list[Finding]:
        """An attack was recognised: the successes it had before may be takeovers."""
        earliest = raised.episode.first_ns - self._settings.takeover.hit_window_ms * MILLISECOND_NS
        told = []
        for hit in self._takeovers.hits:
            if hit.login.ts_ns >= earliest and raised.key == _part_of(hit, raised.group):
                finding = self.judge(hit, (suspicion,), now_ns)
                if finding is not None:
                    told.append(finding)
        return told

    def sweep(self, now_ns: int) -> list[Finding]:
        """Close what has been quiet for long."""
        horizon = now_ns - self._settings.finding.close_after_s * SECOND_NS
        quiet = [account for account, found in self.open.items() if found.touched_ns < horizon]
        return [build(FindingClosed, self.open.pop(account), self._keyring, now_ns) for account in quiet]

    def finish(self, now_ns: int) -> list[Finding]:
        """Close all."""
        told = [build(FindingClosed, found, self._keyring, now_ns) for found in self.open.values()]
        self.open.clear()
        return told

    def _raise(self, hit: Hit, log_odds: float, reasons: tuple[Reason, ...]) -> OpenFinding:
        name = self._keyring.unseal(hit.login.named)
        unseen = "" if hit.login.named else address_text(hit.login.hi, hit.login.lo)
        episode = Episode()
        episode.note(_login_of(hit.login))
        episode.first_ns = hit.first_ns
        episode.attempts += hit.failures
        episode.failures = hit.failures
        _name_attackers(episode, hit, self._keyring)
        return OpenFinding(
            "account-takeover",
            "takeover",
            hit.account,
            episode,
            finding_id=finding_id("account-takeover", "source" if unseen else "account", unseen or name, episode),
            subject_kind="source" if unseen else "account",
            subject=unseen,
            named=hit.login.named,
            log_odds=log_odds,
            reasons=list(reasons),
            touched_ns=hit.login.ts_ns,
        )

    def _add(
        self, found: OpenFinding, hit: Hit, log_odds: float, reasons: tuple[Reason, ...], now_ns: int
    ) -> Finding | None:
        """Another login of the same story: told again only from a further source or with stronger evidence."""
        if _is_in(found, hit.login):
            return None
        new = (hit.login.hi, hit.login.lo) not in found.episode.places or log_odds > found.log_odds + 1.0
        found.episode.note(_login_of(hit.login))
        _name_attackers(found.episode, hit, self._keyring)
        found.touched_ns = max(found.touched_ns, hit.login.ts_ns)
        if log_odds > found.log_odds:
            found.log_odds, found.reasons = log_odds, list(reasons)
        return build(FindingUpdated, found, self._keyring, now_ns) if new else None


def _is_in(found: OpenFinding, login: Glimpse) -> bool:
    """Whether a login is part of the story already. One without a number is known by its time and its place."""
    if login.seq != 0:
        return login.seq in found.episode.seqs
    return login.ts_ns <= found.touched_ns and (login.hi, login.lo) in found.episode.places


def _part_of(hit: Hit, group: str) -> int | None:
    """What of `hit` a finding of `group` would be about."""
    login = hit.login
    parts = {"source": login.source, "fingerprint": login.client, "credential": login.secret}
    return parts.get(group)


def _name_attackers(episode: Episode, hit: Hit, keyring: Keyring) -> None:
    """Those that failed on the account before `hit` follow its own source."""
    own = (hit.login.hi, hit.login.lo)
    for halves in hit.attackers:
        if halves != own and halves not in episode.places:
            episode.sources.add(keyring.word(ADDRESS, address_text(*halves)))
            if len(episode.places) < MAX_SAMPLES:
                episode.places.append(halves)


def _login_of(seen: Glimpse) -> Login:
    """The login again, as far as an episode asks."""
    login = Login()
    login.now_ns, login.seq, login.count, login.protocol = seen.ts_ns, seen.seq, seen.count, seen.protocol
    login.failed, login.succeeded, login.inferred = seen.failed, not seen.failed, seen.inferred
    login.hi, login.lo, login.source, login.account = seen.hi, seen.lo, seen.source, seen.account
    login.named, login.secret, login.client = seen.named[8:], seen.secret, seen.client
    return login
