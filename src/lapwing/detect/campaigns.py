"""Sources that act together become one finding: raised once, updated as it grows, closed when quiet.

A login belongs to the widest finding that explains it: its account's, its client's or its secret's, and only then its
source's. Neighbours in a network are a finding only where nothing else explains them, and the site comes last.
What an open finding explains raises no second one (W29, W30).
"""

from collections.abc import Mapping
from typing import Any

from lapwing.detect.decay import DAY_NS, HOUR_NS, SECOND_NS
from lapwing.detect.episode import PAUSE_NS, Episode, begin
from lapwing.detect.findings import OpenFinding, build, finding_id, is_slow, severity_of, shape
from lapwing.detect.login import Keyring, Login
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import DetectSettings
from lapwing.detect.trackers import Tally, Tracker
from lapwing.detect.trackers.site import KEY as SITE
from lapwing.detect.verdict import Judge
from lapwing.events import Finding, FindingClosed, FindingKind, FindingRaised, FindingUpdated, Severity

WIDE = ("account", "fingerprint", "credential")
GROUPS = (*WIDE, "source", "network", "site")  # the order in which a finding is looked for
MIN_ALIKE = 2  # other sources that do the same with the same client, from which they act together
MIN_SPRAY_SOURCES = 2  # one secret from a single source is the finding of that source
SWEEP_NS = 60 * SECOND_NS  # how often quiet findings are looked for, in time of the events
SEVERITIES = list(Severity)

Key = tuple[str, bytes]
Standing = tuple[str, bytes, Tracker[Any], Tally]
Evidence = Mapping[str, tuple[Reason, ...]]


class Campaigns:
    """The open findings about attacks, and the episodes of what may become one."""

    def __init__(
        self,
        settings: DetectSettings,
        keyring: Keyring,
        judge: Judge,
        trackers: Mapping[str, Tracker[Any]],
    ) -> None:
        self._settings = settings
        self._keyring = keyring
        self._judge = judge
        self._trackers = [(group, trackers[group]) for group in GROUPS]
        self._sources = trackers["source"]
        self.open: dict[Key, OpenFinding] = {}
        self.refused_count = 0
        self.swept_ns = 0

    def accuses(self, login: Login) -> bool:
        """Whether the source or client of `login` has an open finding, so that a success excuses nothing."""
        source, client = ("source", login.place.source), ("fingerprint", login.client or b"")
        return bool(self.open) and (source in self.open or client in self.open)

    def fold(self, login: Login, evidence: Evidence) -> tuple[list[Finding], OpenFinding | None]:
        """Take in one login with its evidence. Return what there is to tell, and the finding raised, if one was."""
        if login.known and not login.counts:
            return [], None
        if login.succeeded and self._is_nobody(login.place.source):
            return [], None
        keys = [(group, tracker.key(login), tracker) for group, tracker in self._trackers]
        owned = any((group, key) in self.open for group, key, _ in keys[: len(WIDE)]) if self.open else False
        told: list[Finding] = []
        rows: dict[str, Tally] = {}
        for group, key, tracker in keys:
            if key is None:
                continue
            found = self.open.get((group, key)) if self.open else None
            if found is not None:
                owned = True
                self._grow(found, login, evidence, told)
                continue
            row = tracker.table.peek(key)
            if row is None:
                continue
            if owned and login.failed:
                row.owned += max(login.event.attempt_count, 1)
            elif self._note(group, row, login, suspected=bool(evidence[group])):
                rows[group] = row
        if not rows or not login.failed:
            return told, None
        raised = self._raise_first(login, evidence, keys, rows)
        if raised is not None:
            told.extend(self._absorb(raised, login.now_ns))
            told.append(self._tell(FindingRaised, raised, login.now_ns))
        return told, raised

    def _is_nobody(self, source: bytes) -> bool:
        """Nothing ever failed at the source, so its success belongs to no story."""
        row = self._sources.table.peek(source)
        return row is None or row.tries is None

    def sweep(self, now_ns: int) -> list[Finding]:
        """Close what has been quiet for long."""
        if now_ns - self.swept_ns < SWEEP_NS:
            return []
        self.swept_ns = now_ns
        horizon = now_ns - self._settings.finding.close_after_s * SECOND_NS
        quiet = [key for key, found in self.open.items() if found.touched_ns < horizon]
        return [self._close(key, now_ns) for key in quiet]

    def finish(self, now_ns: int) -> list[Finding]:
        """Close all."""
        return [self._close(key, now_ns) for key in list(self.open)]

    def _note(self, group: str, row: Tally, login: Login, *, suspected: bool) -> bool:
        """Keep the plain facts of a failure, or of a success that seems to belong to one. True if noted."""
        episode = row.episode
        if login.succeeded:
            self._note_success(group, row, login)
            return False
        glimpse = self._keyring.glimpse(login)
        if episode is None:
            if row.first is None:
                row.first = glimpse
                return False
            episode, row.first = begin(row.first), None
        if self._is_over(group, episode, login.now_ns, suspected=suspected):
            row.episode, row.first, row.owned = None, glimpse, 0
            return False
        row.episode = episode
        episode.note(glimpse)
        return True

    def _note_success(self, group: str, row: Tally, login: Login) -> None:
        if login.back_pairs is not None and row.first is not None and row.first.source == login.place.source:
            row.first = None
        episode = row.episode
        if episode is None:
            return
        if login.back_pairs is not None:
            if group != "source":
                episode.forgive_source(login)
            if group != "account":
                episode.forgive_account(login)
        elif group == "source" or login.place.source in episode.sources:
            episode.note(self._keyring.glimpse(login))

    @staticmethod
    def _is_over(group: str, episode: Episode, now_ns: int, *, suspected: bool) -> bool:
        """A long pause, or a long time without suspicion, starts a new story."""
        age_limit = HOUR_NS if group == "site" else DAY_NS
        return now_ns - episode.last_ns > PAUSE_NS or (not suspected and now_ns - episode.first_ns > age_limit)

    def _grow(self, found: OpenFinding, login: Login, evidence: Evidence, told: list[Finding]) -> None:
        if login.succeeded and found.group != "source" and login.place.source not in found.episode.sources:
            return
        if found.group == "site" and not evidence["site"]:
            return  # the spike is over; who fails now is somebody else
        found.episode.note(self._keyring.glimpse(login))
        if login.failed:
            found.touched_ns = login.now_ns
        reasons = evidence[found.group]
        log_odds = self._settings.prior + self._judge.score(found.group, reasons)
        if log_odds > found.log_odds:
            found.log_odds, found.reasons = log_odds, list(reasons)
        grown = found.episode.failures >= found.told_failures * self._settings.finding.growth
        if grown or SEVERITIES.index(severity_of(found)) > SEVERITIES.index(found.told_severity):
            told.append(self._tell(FindingUpdated, found, login.now_ns))

    def _raise_first(
        self,
        login: Login,
        evidence: Evidence,
        keys: list[tuple[str, bytes | None, Tracker[Any]]],
        rows: dict[str, Tally],
    ) -> OpenFinding | None:
        for group, key, tracker in keys:
            row, reasons = rows.get(group), evidence[group]
            if key is None or row is None or row.episode is None or not reasons:
                continue
            log_odds = self._settings.prior + self._group_score(group, reasons)
            if log_odds < self._settings.finding.raise_at or not self._is_whole(group, row, row.episode):
                continue
            if group in ("credential", "source"):
                group, key, tracker, row = self._by_client(login, (group, key, tracker, row))
            if len(self.open) >= self._settings.finding.max_open:
                self.refused_count += 1
                return None
            return self._raise(group, key, tracker, row, (log_odds, reasons), login)
        return None

    def _group_score(self, group: str, reasons: tuple[Reason, ...]) -> float:
        """As in the verdict, but a spike of the site may weigh fully on the site itself."""
        return sum(r.weight for r in reasons) if group == "site" else self._judge.score(group, reasons)

    def _is_whole(self, group: str, row: Tally, episode: Episode) -> bool:
        """Whether the episode itself, without what other findings explain, is worth a finding of its own."""
        sources = episode.sources.count
        if group == "account" and sources < self._settings.account.min_sources:
            return False
        if group == "credential" and sources < MIN_SPRAY_SOURCES:
            return False
        unexplained = episode.failures - episode.owned
        return episode.failures >= self._settings.finding.min_failures and row.owned + episode.owned < unexplained

    def _by_client(self, login: Login, own: Standing) -> Standing:
        """One rare client that sprays, or attacks from several sources in turn, is the finding of that client."""
        group, _, _, row = own
        clients = dict(self._trackers)["fingerprint"]
        client = clients.table.peek(login.client) if login.client is not None else None
        if login.client is None or client is None or client.episode is None or row.episode is None:
            return own
        rare = client.good * self._settings.fingerprint.per_good < 1.0
        if not rare or row.episode.clients != [login.client]:
            return own
        if group == "source" and self._alike(row.episode, login.now_ns) < MIN_ALIKE:
            return own
        return "fingerprint", login.client, clients, client

    def _alike(self, episode: Episode, now_ns: int) -> int:
        """How many other sources have an open finding for the same thing with the same client."""
        recent, kind = now_ns - self._settings.finding.merge_within_s * SECOND_NS, shape(episode)
        return sum(
            found.group == "source"
            and found.touched_ns >= recent
            and found.episode.clients == episode.clients
            and shape(found.episode) == kind
            for found in self.open.values()
        )

    def _raise(
        self,
        group: str,
        key: bytes,
        tracker: Tracker[Any],
        row: Tally,
        score: tuple[float, tuple[Reason, ...]],
        login: Login,
    ) -> OpenFinding:
        episode = row.episode or begin(self._keyring.glimpse(login))
        kind = self._kind(group, row, episode)
        subject_kind, subject = self._subject(group, login, episode)
        found = OpenFinding(
            finding_id=finding_id(kind, subject_kind, subject, episode),
            kind=kind,
            group=group,
            key=key,
            subject_kind=subject_kind,
            subject="" if group == "account" else subject,
            named=self._keyring.glimpse(login).named if group == "account" else b"",
            episode=episode,
            log_odds=score[0],
            reasons=list(score[1]),
            touched_ns=login.now_ns,
        )
        row.episode, row.pinned = None, True
        tracker.table.hold(key)
        self.open[(group, key)] = found
        self._own(group, login, episode)
        return found

    def _own(self, group: str, login: Login, episode: Episode) -> None:
        """What the finding explains was counted in the rows after it before it was raised."""
        last = {"network": login.place.network, "site": SITE}
        for later, tracker in self._trackers[GROUPS.index(group) + 1 :]:
            row = tracker.table.peek(last[later]) if later in last else None
            if row is not None and row.episode is not None and (later == "site" or group == "source"):
                row.episode.owned += episode.failures - episode.owned

    @staticmethod
    def _kind(group: str, row: Tally, episode: Episode) -> FindingKind:
        if group == "account":
            return "targeted-account"
        if group == "site":
            return "velocity-spike"
        if is_slow(row, episode):
            return "low-and-slow"
        return "password-spraying" if group == "credential" else shape(episode)

    @staticmethod
    def _subject(group: str, login: Login, episode: Episode) -> tuple[str, str]:
        if group == "account":
            return "account", login.name
        if group == "fingerprint":
            return "fingerprint", login.client_text
        if group == "network":
            return "network", login.place.network_text
        if group == "source":
            one = len(episode.addresses) <= 1 and login.place.text in episode.addresses
            return "source", login.place.text if one else login.place.source_text
        return "site", login.event.endpoint

    def _absorb(self, wide: OpenFinding, now_ns: int) -> list[Finding]:
        """Close the findings about single sources that turn out to be part of `wide`."""
        if wide.group not in WIDE:
            return []
        recent = now_ns - self._settings.finding.merge_within_s * SECOND_NS
        told = []
        for key, found in list(self.open.items()):
            if found.group != "source" or found.touched_ns < recent or key[1] not in wide.episode.sources:
                continue
            if _is_part(found.episode, wide):
                found.note = f"; part of finding {wide.finding_id}"
                told.append(self._close(key, now_ns))
        return told

    def _close(self, key: Key, now_ns: int) -> Finding:
        found = self.open.pop(key)
        row = dict(self._trackers)[key[0]].table.peek(key[1])
        if row is not None:
            row.pinned = False
        return self._tell(FindingClosed, found, now_ns)

    def _tell(self, event: type[Finding], found: OpenFinding, now_ns: int) -> Finding:
        found.told_failures, found.told_severity = found.episode.failures, severity_of(found)
        return build(event, found, self._keyring, now_ns)


def _is_part(episode: Episode, wide: OpenFinding) -> bool:
    """Whether the episode of a source consists of what `wide` is about."""
    if wide.group == "account":
        return episode.accounts.count == 1 and wide.key in episode.accounts
    if wide.group == "fingerprint":
        return episode.clients == [wide.key]
    return episode.secrets.count == 1 and wide.key in episode.secrets
