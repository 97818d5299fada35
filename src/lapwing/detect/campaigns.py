# cython: infer_types=True, cpow=True, wraparound=False, boundscheck=False
"""Sources that act together become one finding: raised once, updated as it grows, closed when quiet.

A login belongs to the widest finding that explains it: its account's, its client's or its secret's, and only then its
source's. Neighbours in a network are a finding only where nothing else explains them, and the site comes last.
What an open finding explains raises no second one (W29, W30).
Runs compiled, typed by `campaigns.pxd`, and as it stands.
"""

from typing import TYPE_CHECKING, Any

from lapwing.detect import plainly as natively
from lapwing.detect.addresses import place_at
from lapwing.detect.decay import DAY_NS, HOUR_NS, SECOND_NS
from lapwing.detect.episode import Episode
from lapwing.detect.evidence import GROUPS, SOURCE_GROUP, Evidence, kinds_of
from lapwing.detect.findings import OpenFinding, build, finding_id, is_slow, severity_of, shape
from lapwing.detect.journal import BY_SOURCE, BY_TIME, Journal
from lapwing.detect.login import Keyring, Login
from lapwing.detect.reasons import Reason
from lapwing.detect.rows import Tally
from lapwing.detect.settings import DetectSettings
from lapwing.detect.verdict import Judge
from lapwing.events import Finding, FindingClosed, FindingKind, FindingRaised, FindingUpdated, Severity

if TYPE_CHECKING:
    import cython  # for the compiler, which takes this for a module from here alone
else:
    from lapwing.detect import plainly as cython

WIDE = 3  # the first groups: findings about many sources
MIN_ALIKE = 2  # other sources that do the same with the same client, from which they act together
MIN_SPRAY_SOURCES = 2  # one secret from a single source is the finding of that source
SWEEP_NS = 60 * SECOND_NS  # how often quiet findings are looked for, in time of the events
PAUSE_NS = DAY_NS  # a longer pause starts a new story
MAX_TOLD = 4_096  # logins a story is told from, the latest; counts are of all
SEVERITIES = list(Severity)

_SOURCE = SOURCE_GROUP
_ACCOUNT = 0
_SITE = 5
_SITE_KINDS = kinds_of(GROUPS[_SITE])
_HOUR = HOUR_NS
_DAY = DAY_NS
_SWEEP = SWEEP_NS

Key = tuple[int, int]


class Campaigns:
    """The open findings about attacks, by group number and key, and the stories of what may become one."""

    def __init__(
        self, settings: DetectSettings, keyring: Keyring, judge: Judge, trackers: list[Any], journal: Journal
    ) -> None:
        """`trackers` stand in the order of `GROUPS`."""
        self._keyring = keyring
        self._journal = journal
        self._owned = False  # what `_place` has found out of the login that `fold` was asked for
        self._told_now: list[Finding] | None = None
        self.adopt({})
        self.follow(settings, judge, trackers)
        self.refused_count = 0
        self.swept_ns = 0

    def follow(self, settings: DetectSettings, judge: Judge, trackers: list[Any]) -> None:
        """Go on under these settings, with what is open."""
        self._settings = settings
        self._judge = judge
        self._trackers = trackers
        self._accounts, self._clients, self._secrets, self._sources, self._networks, self._site = trackers
        self._base = settings.prior
        self._most = [settings.prior + getattr(settings, group).cap for group in GROUPS]  # no evidence comes to more
        self._raise_at = settings.finding.raise_at
        self._growth = settings.finding.growth
        self._min_failures = settings.finding.min_failures
        for found in self.open.values():
            found.episode.quiet_until = 0.0

    def adopt(self, findings: dict[Key, OpenFinding]) -> None:
        """Have these open, and no others; no record knows of them yet."""
        self.open: dict[Key, OpenFinding] = findings
        # Those that a record was seen for; and their episodes by themselves, as these are asked for ahead of logins.
        self._standing: list[OpenFinding | None] = []
        self._episodes: list[Episode | None] = []
        self._room = 0  # how many of them there is place for
        self._free: list[int] = []

    def accuses(self, login: Login) -> bool:
        """Whether the source or client of `login` has an open finding, so that a success excuses nothing."""
        if not self.open:
            return False
        return (_SOURCE, login.source) in self.open or (1, login.client) in self.open

    def fold(self, login: Login, evidence: Evidence) -> Any:
        """Take in one login with its evidence, after the trackers did.

        Return what there is to tell and the finding raised, if one was; or None.
        """
        if login.known and not login.counts:
            return None
        if login.succeeded and not self._belongs(login):
            return None
        if self._told_now is not None:
            self._told_now = None
        self._owned = False
        if self.open:
            self._owned = _is_pinned(self._accounts) or _is_pinned(self._clients) or _is_pinned(self._secrets)
        noted = self._place(_ACCOUNT, self._accounts, login, evidence)
        noted |= self._place(1, self._clients, login, evidence)
        noted |= self._place(2, self._secrets, login, evidence)
        noted |= self._place(_SOURCE, self._sources, login, evidence)
        noted |= self._place(4, self._networks, login, evidence)
        noted |= self._place(_SITE, self._site, login, evidence)
        raised = self._raise_first(login, evidence, noted) if noted != 0 and login.failed else None
        if raised is None:
            return None if self._told_now is None else (self._told_now, None)
        told = [*(self._told_now or ()), *self._absorb(raised, login.now_ns)]
        return [*told, self._tell(FindingRaised, raised, login.now_ns)], raised

    def _belongs(self, login: Login) -> bool:
        """Whether a success belongs to any story: something failed at its source."""
        story = self._sources.current
        if story is None or not story.failing:
            return False
        if login.took_back:
            self._journal.forgive(story.tail, _SOURCE, login.account, 0)
        return True

    def _place(self, dimension: int, tracker: Any, login: Login, evidence: Evidence) -> int:
        """Add a login to the finding or the story of its record; the dimension's bit where its story has grown."""
        if tracker.current is None:
            return self._own(dimension, login) if self._owned and tracker.current_key != 0 else 0
        if tracker.current.pinned:
            return self._grow(dimension, tracker, login, evidence)
        if self._owned and login.failed:
            return _explain(cython.cast(Tally, tracker.current), login)
        return self._note(dimension, cython.cast(Tally, tracker.current), login, evidence)

    def _own(self, dimension: int, login: Login) -> int:
        """An open finding explains the login, and there is no record yet: the one that begins with it will know."""
        return self._journal.mark_owned(login.pos, dimension) if login.failed and login.pos >= 0 else 0

    # -- memory asked for ahead ----------------------------------------------------------------------------------------

    def approach(self, found: int) -> int:
        """A login is folded in soon, maybe into the finding whose place in `Row.found` this is: have it fetched."""
        if found == 0 or found > self._room:
            return 0
        natively.soon_item(self._episodes, found - 1, 0, 1)  # two lines that every login looks at
        natively.soon_item(self._episodes, found - 1, 64, 65)
        return 0

    def expect(self, found: int, login: Login) -> int:
        """Once it has come, have fetched where `login` belongs in it."""
        if found == 0 or found > self._room:
            return 0
        if self._episodes[found - 1] is not None:
            cython.cast(Episode, self._episodes[found - 1]).expect(login)
        return 0

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

    # -- stories -------------------------------------------------------------------------------------------------------

    def _note(self, dimension: int, row: Any, login: Login, evidence: Evidence) -> int:
        """Add a failure, or a success that seems to belong to some, to the record's story: its bit if it has grown."""
        if login.succeeded:
            return self._note_success(dimension, row, login)
        if row.length == 0:
            return row.begin_story(login, login.pos)  # type: ignore[no-any-return]
        if self._is_over(dimension, row, login.now_ns, evidence.says(dimension)):
            row.forget_story()
            return row.begin_story(login, login.pos)  # type: ignore[no-any-return]
        self._link(dimension, row, login)
        row.failures += login.count
        row.last_ns = max(row.last_ns, login.now_ns)
        return 1 << dimension

    def _link(self, dimension: int, row: Any, login: Login) -> int:
        self._journal.link(login.pos, dimension, row.tail)
        row.tail = login.pos
        row.length += 1
        return 0

    def _note_success(self, dimension: int, row: Any, login: Login) -> int:
        if row.length == 0:
            return 0
        if login.took_back:
            slot = self._journal.slot_of(row.tail)
            if row.length == 1 and (slot < 0 or self._journal.word(slot, BY_SOURCE) == login.source):
                row.length = row.failures = 0
                row.tail = -1
            return 0
        if row.length == 1:
            return 0
        if login.pos < 0:
            self._journal.append(login)
        self._link(dimension, row, login)
        row.last_ns = max(row.last_ns, login.now_ns)
        return 0

    def _is_over(self, dimension: int, row: Any, now_ns: int, suspected: bool) -> bool:
        """A long pause, or a long time without suspicion, starts a new story."""
        if now_ns - row.last_ns > _DAY:
            return True
        return not suspected and now_ns - row.first_ns > (_HOUR if dimension == _SITE else _DAY)

    def _told(self, dimension: int, row: Any) -> Episode:
        """The record's story from the journal, as far back as that goes; counts are of all of it."""
        places = []
        pos, left = row.tail, min(row.length, MAX_TOLD)
        while left > 0:
            slot = self._journal.slot_of(pos)
            if slot < 0:
                break
            places.append(slot)
            pos = self._journal.before(pos, dimension)
            left -= 1
        episode = Episode()
        for slot in sorted(places, key=self._when):
            login = self._journal.retell(slot)
            login.named = self._journal.name_of(slot)
            if login.succeeded and dimension != SOURCE_GROUP and not episode.knows_source(login.source):
                continue
            if login.forgiven and dimension != SOURCE_GROUP:
                login.source = 0  # the failure turned out to be a typo, so it is not named
            if login.forgiven and dimension != _ACCOUNT:
                login.account = 0
            episode.note(login)
        unseen = row.failures - episode.failures
        if unseen > 0:
            episode.failures += unseen
            episode.attempts += unseen
            episode.first_ns = row.first_ns
        episode.owned = row.explained
        return episode

    def _when(self, slot: int) -> tuple[int, int]:
        return self._journal.word(slot, BY_TIME), self._journal.pos_of(slot)

    # -- findings ------------------------------------------------------------------------------------------------------

    def _stand(self, row: Any, found: Any) -> int:
        """Remember with its record which open finding stands on it: its number, from one on."""
        if self._free:
            number = self._free.pop()
        else:
            self._standing.append(None)
            self._episodes.append(None)
            self._room += 1
            number = self._room
        self._standing[number - 1] = found
        self._episodes[number - 1] = found.episode
        row.found = number
        return number

    def _unstand(self, row: Any) -> int:
        """The finding that stands on a record closes."""
        at = row.found - 1
        self._standing[at] = self._episodes[at] = None
        self._free.append(row.found)
        row.found = 0
        return 0

    def _grow(self, dimension: int, tracker: Any, login: Login, evidence: Evidence) -> int:
        """Add a login to the open finding of its record, and tell of it if there is something to tell."""
        self._owned = True
        number = tracker.current.found
        if number == 0 or number > self._room:
            number = self._stand(tracker.current, self.open[(dimension, tracker.current_key)])
        episode = cython.cast(Episode, self._episodes[number - 1])  # there are no others
        if login.succeeded and dimension != _SOURCE and not episode.knows_source(login.source):
            return 0
        if dimension == _SITE and evidence.present & _SITE_KINDS == 0:
            return 0  # the spike is over; who fails now is somebody else
        episode.take(login, self._keyring)
        if login.failed:
            episode.touched_ns = login.now_ns
        if episode.failures >= episode.quiet_until:
            self._tell_more(dimension, cython.cast(OpenFinding, self._standing[number - 1]), login, evidence)
        return 0

    def _tell_more(self, dimension: int, found: Any, login: Login, evidence: Evidence) -> int:
        """Tell of a finding that has grown if it is graver or much larger than was told."""
        episode = found.episode
        grave = found.log_odds < self._most[dimension] and self._is_graver(dimension, found, evidence)
        if grave or episode.failures >= found.told_failures * self._growth:
            self._told_now = [*(self._told_now or ()), self._tell(FindingUpdated, found, login.now_ns)]
        if found.log_odds >= self._most[dimension]:  # it cannot get graver: only that it grows is of interest
            episode.quiet_until = found.told_failures * self._growth
        return 0

    def _is_graver(self, dimension: int, found: Any, evidence: Evidence) -> bool:
        """Whether the evidence, where it is stronger than before, makes it a graver finding than was told."""
        log_odds = self._base + self._judge.score(dimension, evidence, 0)
        if log_odds <= found.log_odds:
            return False
        found.log_odds, found.reasons = log_odds, evidence.of(dimension)
        return SEVERITIES.index(severity_of(found)) > SEVERITIES.index(found.told_severity)

    def _raise_first(self, login: Login, evidence: Evidence, noted: int) -> OpenFinding | None:
        for dimension in range(_SITE + 1):
            if not noted >> dimension & 1 or not evidence.says(dimension):
                continue
            log_odds = self._base + self._group_score(dimension, evidence)
            row = self._trackers[dimension].current
            if log_odds < self._raise_at or not self._could_stand(row):
                continue
            if len(self.open) >= self._settings.finding.max_open:
                self.refused_count += 1  # before the story is told, which takes far longer than a decision may
                return None
            episode, reasons = self._told(dimension, row), evidence.of(dimension)
            if not self._is_whole(dimension, episode):
                continue
            if dimension in (2, SOURCE_GROUP) and self._is_of_client(dimension, episode, login):
                dimension, episode = 1, self._told(1, self._trackers[1].current)
            return self._raise(dimension, episode, (log_odds, reasons), login)
        return None

    def _group_score(self, dimension: int, evidence: Evidence) -> float:
        """As in the verdict, but a spike of the site may weigh fully on the site itself."""
        return evidence.sum(dimension, 0) if dimension == _SITE else self._judge.score(dimension, evidence, 0)

    def _could_stand(self, row: Any) -> bool:
        """Whether the story itself, without what other findings explain, is worth a finding of its own."""
        unexplained = row.failures - row.explained
        return bool(row.failures >= self._min_failures and row.owned + row.explained < unexplained)

    def _is_whole(self, dimension: int, episode: Episode) -> bool:
        sources = episode.sources.count
        if dimension == _ACCOUNT:
            return bool(sources >= self._settings.account.min_sources)
        return dimension != 2 or sources >= MIN_SPRAY_SOURCES

    def _is_of_client(self, dimension: int, episode: Episode, login: Login) -> bool:
        """One rare client that sprays, or attacks from several sources in turn, is the finding of that client."""
        row = self._trackers[1].current
        if login.client == 0 or row is None or row.length < 2 or row.pinned:
            return False
        rare = row.good * self._settings.fingerprint.per_good < 1.0
        if not rare or episode.clients != [login.client]:
            return False
        return dimension != SOURCE_GROUP or self._alike(episode, login.now_ns) >= MIN_ALIKE

    def _alike(self, episode: Episode, now_ns: int) -> int:
        """How many other sources have an open finding for the same thing with the same client."""
        recent, kind = now_ns - self._settings.finding.merge_within_s * SECOND_NS, shape(episode)
        alike = 0
        for found in self.open.values():
            if found.group == "source" and found.touched_ns >= recent and found.episode.clients == episode.clients:
                alike += shape(found.episode) == kind
        return alike

    def _raise(self, dimension: int, episode: Episode, score: tuple[float, list[Reason]], login: Login) -> OpenFinding:
        tracker = self._trackers[dimension]
        row, key = tracker.current, tracker.current_key
        kind = self._kind(dimension, row, episode)
        subject_kind, subject = self._subject(dimension, login, episode)
        named = b""
        if dimension == _ACCOUNT:
            named = login.account.to_bytes(8, "big") + self._keyring.seal(login.name, login.account)
        found = OpenFinding(
            kind,
            GROUPS[dimension],
            key,
            episode,
            finding_id=finding_id(kind, subject_kind, subject, episode),
            subject_kind=subject_kind,
            subject="" if dimension == _ACCOUNT else subject,
            named=named,
            log_odds=score[0],
            reasons=list(score[1]),
            touched_ns=login.now_ns,
        )
        owned = row.owned
        row.forget_story()
        row.owned, row.pinned = owned, True
        tracker.table.hold(key)
        self.open[(dimension, key)] = found
        self._claim(dimension, episode)
        return found

    def _claim(self, dimension: int, episode: Episode) -> None:
        """What the finding explains was counted in the wider records after it before it was raised."""
        for later in (4, 5):
            row = self._trackers[later].current
            if later > dimension and row is not None and row.length > 1 and (later == _SITE or dimension == _SOURCE):
                row.explained += episode.failures - episode.owned

    @staticmethod
    def _kind(dimension: int, row: Any, episode: Episode) -> FindingKind:
        if dimension == _ACCOUNT:
            return "targeted-account"
        if dimension == _SITE:
            return "velocity-spike"
        if is_slow(row, episode):
            return "low-and-slow"
        return "password-spraying" if dimension == 2 else shape(episode)

    @staticmethod
    def _subject(dimension: int, login: Login, episode: Episode) -> tuple[str, str]:
        if dimension == _ACCOUNT:
            return "account", login.name
        if dimension == 1:
            return "fingerprint", login.client_text
        place = place_at(login.hi, login.lo)
        if dimension == 4:
            return "network", place.network_text
        if dimension == SOURCE_GROUP:
            one = episode.places == [(login.hi, login.lo)]
            return "source", place.text if one else place.source_text
        return "site", login.endpoint

    def _absorb(self, wide: OpenFinding, now_ns: int) -> list[Finding]:
        """Close the findings about single sources that turn out to be part of `wide`."""
        if wide.group not in GROUPS[:WIDE]:
            return []
        recent = now_ns - self._settings.finding.merge_within_s * SECOND_NS
        told = []
        for key, found in list(self.open.items()):
            if found.group != "source" or found.touched_ns < recent or not wide.episode.sources.has(key[1]):
                continue
            if _is_part(found.episode, wide):
                found.note = f"; part of finding {wide.finding_id}"
                told.append(self._close(key, now_ns))
        return told

    def _close(self, key: Key, now_ns: int) -> Finding:
        found = self.open.pop(key)
        row = self._trackers[key[0]].table.peek(key[1])
        if row is not None:
            row.pinned = False
            if row.found != 0:
                self._unstand(row)
        return self._tell(FindingClosed, found, now_ns)

    def _tell(self, event: type[Finding], found: OpenFinding, now_ns: int) -> Finding:
        found.told_failures, found.told_severity = found.episode.failures, severity_of(found)
        return build(event, found, self._keyring, now_ns)


def _is_pinned(tracker: Any) -> bool:
    """Whether the login observed last belongs to an open finding of this tracker."""
    return tracker.current is not None and tracker.current.pinned


def _explain(story: Tally, login: Login) -> int:
    """An open finding of another record explains the login."""
    story.owned += login.count
    return 0


def _is_part(episode: Episode, wide: OpenFinding) -> bool:
    """Whether the episode of a source consists of what `wide` is about."""
    if wide.group == "account":
        return bool(episode.accounts.count == 1 and episode.accounts.has(wide.key))
    if wide.group == "fingerprint":
        return bool(episode.clients == [wide.key])
    return bool(episode.secrets.count == 1 and episode.secrets.has(wide.key))
