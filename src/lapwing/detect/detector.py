# cython: infer_types=True, cpow=True
"""Logins in, findings out: every login feeds every tracker, and one verdict adds up what they say.

Runs compiled, typed by `detector.pxd`, and as it stands.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from lapwing.detect.addresses import halves_of
from lapwing.detect.ahead import Ahead
from lapwing.detect.block import Block
from lapwing.detect.campaigns import SWEEP_NS, Campaigns
from lapwing.detect.contract import LookUp
from lapwing.detect.decay import SECOND_NS
from lapwing.detect.decisions import Decisions
from lapwing.detect.evidence import GROUPS, SOUGHT, SOURCE_GROUP, STRANGE_CLIENT, Evidence
from lapwing.detect.exclusions import Exclusions
from lapwing.detect.findings import OpenFinding, build
from lapwing.detect.hijacks import Hijacks
from lapwing.detect.journal import Journal
from lapwing.detect.login import ACCOUNT, CLIENT, Keyring, Login, fold_name
from lapwing.detect.parts import joined
from lapwing.detect.reasons import Reason
from lapwing.detect.settings import DetectSettings, ExcludeSettings
from lapwing.detect.state import joining, opened, read_into, written
from lapwing.detect.trackers.accounts import Accounts
from lapwing.detect.trackers.credentials import Credentials
from lapwing.detect.trackers.groups import Fingerprints, Networks
from lapwing.detect.trackers.pairs import Pairs
from lapwing.detect.trackers.site import Site
from lapwing.detect.trackers.sources import Sources
from lapwing.detect.trackers.strays import Strays
from lapwing.detect.trackers.surroundings import Surroundings
from lapwing.detect.trackers.takeovers import Suspicion, Takeovers
from lapwing.detect.trackers.unknowns import Unknowns
from lapwing.detect.trackers.weekly import Weekly
from lapwing.detect.verdict import Contribution, Judge, Verdict
from lapwing.detect.verdicts import Verdicts
from lapwing.events import (
    AccountChanged,
    Action,
    AuthEvent,
    AuthResolved,
    Event,
    Finding,
    FindingClosed,
    FindingRaised,
    FindingUpdated,
    Outcome,
)

FILE_KEY = bytes(32)  # for finished input: whoever wrote it cannot adapt to the key, and any run gives the same bytes
PAIRS_PER_SOURCE = 4
ENTRIES_PER_SOURCE = 4  # of the journal: what a flood of one-time failures can make forgotten is as old as that many
MANY_ENTRIES = 400_000  # so many are enough; a larger guard keeps one for each source, or it would be mostly journal
TICK_NS = 3_600 * SECOND_NS  # how often records long unused are dropped, in time of the events
NO_VERDICT = Verdict(Action.ALLOW, 0.0, -100.0, ())  # of a login that says nothing
OUTCOME_NAMES = {outcome: f"logins_{outcome.value}" for outcome in Outcome}
SUSPECTS = {"source": "suspect-source", "fingerprint": "suspect-client", "credential": "suspect-secret"}
_TAGS: dict[type[Finding], str] = {
    FindingRaised: "findings_raised",
    FindingUpdated: "findings_updated",
    FindingClosed: "findings_closed",
}
HALF_A_TRY = 0.5  # a single failed try of yesterday

_write = msgspec.structs.force_setattr  # events are frozen for everybody else

_NO_VERDICT = NO_VERDICT
_NOTHING_SAID = NO_VERDICT.log_odds
_SOUGHT = SOUGHT
_SOURCE = SOURCE_GROUP
_ACTIONS = tuple(Action)
_FAILED, _SUCCEEDED = Outcome.FAILED, Outcome.SUCCEEDED
_TICK = TICK_NS
_SWEEP = SWEEP_NS


class Detector:
    """Takes logins in the order of their events and returns findings. Holds no clock, no randomness and no secret.

    `key` (16 to 64 bytes) makes the stored hashes unpredictable; live input needs a random one.
    Logins with outcome `unknown` or `challenged` are counted and otherwise ignored: absence of proof is no failure.
    A login older than the latest one is taken as happening now.
    `look_up` is asked for the circumstances of logins that carry none, and they are written into the event.
    `verdict` is on the login observed last; `ALLOW` without reasons for one that says nothing. `latest` is that login
    as detection sees it, None where it said nothing; the next one is the same object.
    `needs_events`: some logins are passed over or looked up, so that `identify_try` and `observe_login` do not do.
    """

    def __init__(
        self,
        settings: DetectSettings | None = None,
        *,
        key: bytes = FILE_KEY,
        look_up: LookUp | None = None,
        keyring: Keyring | None = None,
    ) -> None:
        s = settings or DetectSettings()
        self._keyring = keyring or Keyring(key)
        entries = max(s.max_sources, min(s.max_sources * ENTRIES_PER_SOURCE, MANY_ENTRIES))
        self._journal = Journal(entries, self._keyring)
        self._look_up = look_up
        self._arrange(s)
        self._campaigns = Campaigns(s, self._keyring, self._judge, self._grouped, self._journal)
        self._hijacks = Hijacks(s, self._keyring, self._takeovers)
        self._led: list[Decisions] = []
        self._now_ns = 0
        self._ticked_ns = 0
        self._counts: dict[str, int] = {}
        self._failed_count = self._succeeded_count = 0  # of `_counts`, since `counts` was asked
        self._verdict: Verdict | None = NO_VERDICT
        self.log_odds = NO_VERDICT.log_odds
        self.latest: Login | None = None
        self._try = Login()  # the one `identify_try` was asked for last
        self._ahead = self._asking()
        self._asked = 0  # how many steps `Ahead` has taken for the login that is seen next

    def _arrange(self, s: DetectSettings) -> None:
        """Trackers that have seen nothing, and what adds up what they say."""
        self.settings = s
        limit, journal = s.max_sources, self._journal
        self._pairs = Pairs(s.pair, limit * PAIRS_PER_SOURCE, journal)
        self._sources = Sources(s.source, limit, journal)
        self._accounts = Accounts(s.account, limit, journal)
        self._fingerprints = Fingerprints(s.fingerprint, limit, journal, strange_cap=s.source.strange_cap)
        self._networks = Networks(s.network, limit, journal)
        self._credentials = Credentials(s.credential, limit, journal)
        self._site = Site(s.site, journal)
        self._takeovers = Takeovers(s.takeover, limit, self._keyring, journal)
        self._strays = Strays(s.strays, journal)  # last: the journal marks sparks of its first eight tables
        self._weekly = Weekly(s.weekly)
        self._unknowns = Unknowns(s.unknowns)
        self._surroundings = Surroundings(s.circumstances)
        self._judge = Judge(s)
        self._grouped: list[Any] = [
            self._accounts,
            self._fingerprints,
            self._credentials,
            self._sources,
            self._networks,
            self._site,
        ]
        self._every: tuple[Any, ...] = (self._pairs, *self._grouped, self._strays, self._takeovers)
        self._evidence = Evidence()
        for tracker in self._every:
            tracker.forget_ns = s.forget_after_s * SECOND_NS
            tracker.evidence = self._evidence
        self._exclusions = Exclusions(s.exclude) if s.exclude != ExcludeSettings() else None
        self.look_up_with(self._look_up)

    @property
    def look_up(self) -> LookUp | None:
        """What is asked for the circumstances of logins."""
        return self._look_up

    def look_up_with(self, look_up: LookUp | None) -> None:
        """Ask this for the circumstances of logins from now on."""
        self._look_up = look_up
        self.needs_events = self._exclusions is not None or self._look_up is not None

    def change(self, settings: DetectSettings) -> None:
        """Go on under other settings with all that is known, and so do the `decisions` that were made here.

        Nothing is copied, so it takes no longer where much is known. Raises ValueError for another `max_sources`.
        """
        if settings.max_sources != self.settings.max_sources:
            raise ValueError("detect.max_sources: what is kept was laid out for it; restart for another")
        every, weekly, unknowns, surroundings = self._every, self._weekly, self._unknowns, self._surroundings
        tables, self._journal.tables = self._journal.tables, []
        self._arrange(settings)
        self._journal.tables = tables
        for tracker, before in zip(self._every, every, strict=True):
            tracker.go_on_from(before)
        self._weekly.load(weekly.dump())
        self._unknowns.load(unknowns.dump())
        self._surroundings.go_on_from(surroundings)
        self._campaigns.follow(settings, self._judge, self._grouped)
        self._hijacks.follow(settings, self._takeovers)
        for decisions in self._led:
            decisions.follow(settings.answer, self._judge)
        self._ahead = self._asking()
        self._verdict = _NO_VERDICT
        self.log_odds = _NOTHING_SAID
        self.latest = None

    @property
    def verdict(self) -> Verdict:
        """On the login observed last: put together when asked for, as most are not."""
        if self._verdict is None:
            self._verdict = self._judge.verdict(self._evidence, self.log_odds, self._judge.rank(self.log_odds), 0)
        return self._verdict

    def answered(self, rank: int, retry_after_s: int) -> Verdict:
        """The same, with the answer that `Decisions` made of it."""
        if self._verdict is not None:
            return self._verdict.but(_ACTIONS[rank], retry_after_s)
        return self._judge.verdict(self._evidence, self.log_odds, rank, retry_after_s)

    def add_answered(self, verdicts: Verdicts, rank: int, retry_after_s: int) -> int:
        """The same as one more of `verdicts`, after `observe_login`."""
        return verdicts.add(self._judge, self._evidence, self.log_odds, rank, retry_after_s)

    def evidence(self) -> Evidence:
        """What is said of the login observed last; the next one writes over it."""
        return self._evidence

    def observe(self, event: AuthEvent | AccountChanged) -> Iterable[Event]:
        """Take one login event that already has its `seq`."""
        self._verdict = _NO_VERDICT
        self.log_odds = _NOTHING_SAID
        self.latest = None
        if type(event) is not AuthResolved:
            return self._changed(event) if type(event) is AccountChanged else ()
        ts_ns = event.ts_ns
        if ts_ns > self._now_ns:
            self._now_ns = ts_ns
        outcome = event.outcome
        if outcome is _FAILED:
            self._failed_count += 1
        elif outcome is _SUCCEEDED:
            self._succeeded_count += 1
        else:
            self._count(OUTCOME_NAMES[outcome])
        if self._exclusions is not None and self._is_excluded(event):
            return ()
        if self._look_up is not None and event.circumstances is None:
            _write(event, "circumstances", self._look_up(event))
        context = event.circumstances
        told = self._take(event) if context is None or context.second_factor != "failed" else self._half_in(event)
        return self._said(told) if told else ()

    def block(self) -> Block:
        """An empty block of logins for `observe_login`. Where `needs_events`, logins are observed as events."""
        return Block(self._keyring, self._asking())

    def observe_login(self, login: Login) -> Iterable[Event]:
        """Take a login of a `Block`, which failed or succeeded at its `now_ns`, as `observe` takes its event."""
        if login.now_ns > self._now_ns:
            self._now_ns = login.now_ns
        login.now_ns = self._now_ns
        self.latest = login
        if login.failed:
            self._failed_count += 1
        else:
            self._succeeded_count += 1
        self._keyring.stand_at(login)
        self._asked = 0  # but by its block
        self._weigh(login)
        told = self._follow(login)
        return self._said(told) if told else ()

    def assess(self, event: AuthEvent) -> Verdict:
        """The verdict on a login that has no outcome yet, from what is known. Nothing is counted."""
        self._now_ns = max(self._now_ns, event.ts_ns)
        login = None if self._is_excluded(event) else self._keyring.attempt(event, self._now_ns)
        self._verdict = _NO_VERDICT
        self.log_odds = _NOTHING_SAID
        self._asked = 0
        if login is not None:
            if self._look_up is not None and event.circumstances is None:
                _write(event, "circumstances", self._look_up(event))
            self._weigh(login)
        return self.verdict

    def identify_try(
        self,
        address: str,
        username: str | None,
        protocol: str,
        secret_tag: str | None,
        client: str | None,
        ts_ns: int,
    ) -> bool:
        """A try without an event, where `needs_events` is false; False where its address is none.

        It is the `latest` login, which `judge_try` and `refuse_try` are about.
        """
        if ts_ns > self._now_ns:
            self._now_ns = ts_ns
        login, ahead = self._try, self._ahead
        if not self._keyring.locate(login, address, username, client):
            self._verdict = _NO_VERDICT
            self.log_odds = _NOTHING_SAID
            self.latest = None
            return False
        self.latest = login
        ahead.glance_at_place(login)
        self._keyring.stand_at(login)
        self._keyring.describe(login, protocol, secret_tag)
        login.now_ns = self._now_ns
        ahead.first(login)
        self._asked = 1
        return True

    def is_at_home(self, login: Login) -> bool:
        """Whether the account has logged in from there before. Nothing is touched."""
        return self._pairs.knows(login)

    def judge_try(self) -> int:
        """Judge the try identified last from what is known; its place in `Action`. Nothing is counted.

        What is not simply allowed is probably refused and then counted: what that looks at is asked for now.
        """
        login = self.latest
        if login is not None:
            self._weigh(login)
        rank = self._judge.rank(self.log_odds)
        if rank != 0 and login is not None and self._asked == 1:
            self._ahead.second(login)
            self._ahead.third()
            self._asked = 3
        return rank

    def rank(self) -> int:
        """The answer to the login observed last: its place in `Action`."""
        return self._judge.rank(self.log_odds)

    def refuse_try(self, endpoint: str) -> Iterable[Event]:
        """The try identified last is refused: it counts as a failed one of `endpoint`, and is judged as that."""
        login = self.latest
        if login is None:
            return ()
        login.endpoint = endpoint
        login.failed = True
        self._failed_count += 1
        self._weigh(login)
        told = self._follow(login)
        return self._said(told) if told else ()

    def finish(self, now_ns: int) -> Iterable[Event]:
        """The input ended: every open finding is told for the last time."""
        self._now_ns = max(self._now_ns, now_ns)
        told = [*self._campaigns.finish(self._now_ns), *self._hijacks.finish(self._now_ns)]
        return self._said(told)

    def statistics(self) -> dict[str, int]:
        """Counters that only grow, and gauges named `rows_*` and `open_*`."""
        rows = {f"rows_{t.name}": len(t.table) for t in self._every}
        evicted = {f"evicted_{t.name}": t.table.evicted_count for t in self._every}
        open_count = len(self._campaigns.open) + len(self._hijacks.open)
        refused = self._campaigns.refused_count + self._hijacks.refused_count
        return {**self.counts(), **rows, **evicted, "open_findings": open_count, "findings_refused": refused}

    def counts(self) -> dict[str, int]:
        """The counters, by name, those that grew."""
        for name, more in (("logins_failed", self._failed_count), ("logins_succeeded", self._succeeded_count)):
            if more:
                self._counts[name] = self._counts.get(name, 0) + more
        self._failed_count = self._succeeded_count = 0
        return self._counts

    # -- questions -----------------------------------------------------------------------------------------------------

    def source_text(self, address: str) -> str:
        """What a decision about `address` is about: itself, or its IPv6 /64; as it stands where it is no address."""
        return self._keyring.source_text(address) or address

    def explain(self, verdict: Verdict) -> list[Contribution]:
        """What each reason of a verdict contributed, and what leaving it out would change."""
        return self._judge.explain(verdict)

    def decisions(self, limit: int, key: bytes) -> Decisions:
        """Answers by source for whoever enforces this detector's verdicts."""
        made = Decisions(self.settings.answer, self._judge, limit, self._keyring.under(key))
        self._led.append(made)
        self._ahead.follow(made)
        return made

    def look(self, group: str, text: str) -> dict[str, float]:
        """What is counted for a source, an account or a fingerprint; empty where nothing is. Nothing is touched.

        Tries and failing pairs over 5 minutes, 1, 6 and 24 hours, accounts that log in well, as of the last event.
        """
        row = self._grouped[GROUPS.index(group)].look(self._key_of(group, text), self._now_ns)
        if row is None:
            return {}
        names = ("tries_m", "tries_h", "tries_q", "tries_d", "pairs_m", "pairs_h", "pairs_q", "pairs_d", "good")
        return {name: round(getattr(row, name), 6) for name in names} | {"under_attack": float(row.pinned)}

    def open_findings(self, now_ns: int) -> list[Finding]:
        """All findings that are open, as they stand."""
        every = (*self._campaigns.open.values(), *self._hijacks.open.values())
        return [build(FindingUpdated, found, self._keyring, now_ns) for found in every]

    def _key_of(self, group: str, text: str) -> int:
        if group == "source":
            login = Login()
            halves = halves_of(text)
            if halves is not None:
                self._keyring.place(login, halves[0], halves[1])
            return login.source
        return self._keyring.word(ACCOUNT, fold_name(text)) if group == "account" else self._keyring.word(CLIENT, text)

    def _is_excluded(self, event: AuthEvent) -> bool:
        return self._exclusions is not None and self._exclusions.covers(event)

    # -- state ---------------------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """All state, to go on from with the same key and settings. Account names are sealed under the key."""
        return joined(self.parts())

    def parts(self, owner: Sequence[Any] = ()) -> list[bytes]:
        """The same in parts, to be written one after the other: no other thread waits for a copy of the whole.

        `owner` is what whoever has the detector keeps with it, a few facts; the decisions made here are in it, too.
        """
        return written(self, list(owner))

    def restore(self, data: bytes | memoryview) -> list[Any]:
        """Become what `snapshot` gave; the facts of its owner. Raises ValueError for another version, key, or damage.

        It is read part by part, but cannot be used meanwhile. Whoever has to go on restores a `sibling`.
        """
        owner, state = opened(data, self._keyring)
        read_into(self, state)
        return owner

    def merge(self, data: bytes | memoryview) -> None:
        """Add the state another node's `snapshot` gave, made under the same key. Raises ValueError as `restore`.

        Counts add up, distinct counts unite within the sketches' error; stories of the other node's records keep their
        counts, and their samples where a finding is open there.
        """
        for _ in self.merging(data):
            pass

    def merging(self, data: bytes | memoryview) -> Iterator[list[Any]]:
        """The same in steps of a few milliseconds, between which it may be used as usual.

        The first one gives the facts of the state's owner and changes nothing, so that nobody has to wait for it.
        """
        owner, state = opened(data, self._keyring)
        for _ in joining(self, self.sibling(), state):
            yield owner

    def sibling(self) -> "Detector":
        """A detector under the same settings and key that has seen nothing yet."""
        return Detector(self.settings, look_up=self._look_up, keyring=self._keyring.sibling())

    def dismantle(self) -> None:
        """Give back what is known bit by bit; it is not to be used any more."""
        for tracker in self._every:
            tracker.table.dismantle()

    def start_counts(self, counts: dict[str, int]) -> None:
        """Count on from these."""
        self._counts = counts
        self._failed_count = self._succeeded_count = 0

    # -- one login -----------------------------------------------------------------------------------------------------

    def _take(self, event: AuthResolved) -> list[Finding] | None:
        """Weigh one login; what there is to tell, things that went quiet first."""
        login = self._keyring.login(event, self._now_ns)
        if login is None:
            return self._pass_time()
        self.latest = login
        self._ahead.glance_at_place(login)
        self._ahead.first(login)
        self._asked = 1
        self._weigh(login)
        return self._follow(login)

    def _follow(self, login: Login) -> list[Finding] | None:
        """What becomes of a login whose outcome is known and that every tracker has seen."""
        told = self._pass_time()
        if login.routine:
            return told
        found = self._campaigns.fold(login, self._evidence)
        if found is not None:
            told = [*(told or ()), *found[0]]
            if found[1] is not None:
                self._strays.explain(found[1])
                told += self._look_back(found[1])
        reasons = self._takeovers.observe(login, self._now_ns)
        if not login.succeeded:
            return told
        taken = self._judge_takeover(login) if reasons else None
        if taken is None:
            self._takeovers.settle_in(login)
            if login.event is not None and login.event.circumstances is not None:
                self._surroundings.settle_in(login, login.event.circumstances)
            return told
        return [*(told or ()), taken]

    def _half_in(self, event: AuthResolved) -> list[Finding] | None:
        """The secret was right, a further step failed: no guess, but more than a stranger should know (W36)."""
        login = self._keyring.attempt(event, self._now_ns)
        self._asked = 0
        told = self._pass_time()
        if login is None:
            return told
        self._weigh(login)
        weight = self.settings.circumstances.second_factor_failed
        if login.known or not self._takeovers.half_in(login, Reason("second-factor-failed", 1.0, 0.0, weight)):
            return told
        found = self._judge_takeover(login)
        return told if found is None else [*(told or ()), found]

    def _changed(self, event: AccountChanged) -> list[Finding]:
        """What an account is kept by was changed: the login before is looked at again (W36)."""
        self._now_ns = max(self._now_ns, event.ts_ns)
        s = self.settings.circumstances
        account = self._keyring.word(ACCOUNT, fold_name(event.username))
        hit = self._takeovers.hit_of(account, self._now_ns - s.changed_within_s * SECOND_NS)
        if hit is None:
            return []
        reason = Reason("changed-after-login", 1.0, 0.0, s.changed)
        found = self._hijacks.judge(msgspec.structs.replace(hit, reasons=(*hit.reasons, reason)), (), self._now_ns)
        return self._said([found] if found is not None else [])

    def _said(self, told: list[Finding]) -> list[Finding]:
        for finding in told:
            self._count(_TAGS[type(finding)])
        return told

    def _weigh(self, login: Login) -> int:
        """Let every tracker see the login, and judge what they say."""
        evidence = self._evidence
        evidence.clear()
        self._see(login)
        evidence.known = login.known
        if login.event is not None:
            context = login.event.circumstances
            if context is not None:
                login.beside = evidence.beside = self._surroundings.observe(login, context)
        self.log_odds = self._judge.weigh(evidence)
        self._verdict = None
        return 0

    def _see(self, login: Login) -> int:
        """Let every tracker see the login, the pair first as it tells what is new about it.

        A login without an outcome moves no record, so what was asked for before still is.
        """
        now_ns, ahead = self._now_ns, self._ahead
        asked = 0
        if login.failed:
            asked = self._asked
            self._asked = 0  # what is known of places is only good until one of the records may have gone
            if asked == 1:
                ahead.second(login)
            elif asked == 3:
                ahead.fourth(login)
            self._journal.append(login)
        if asked == 1:
            ahead.third()
        elif asked == 3:
            ahead.fifth(login)
        self._pairs.observe(login, now_ns)
        if asked == 1:
            ahead.fourth(login)
        if login.took_back and self._campaigns.accuses(login):
            login.took_back = False
            login.back_secrets = ()
        self._sources.observe(login, now_ns)
        if asked == 1:
            ahead.fifth(login)
        if not login.routine:
            if self._accounts.observe(login, now_ns) and self._takeovers.knows(login.account):
                self._evidence.drop(_SOUGHT)
            self._fingerprints.observe(login, now_ns)
            self._networks.observe(login, now_ns)
            self._credentials.observe(login, now_ns)
            self._site.observe(login, now_ns)
            if not self._is_explained():
                self._strays.observe(login, now_ns)
                if not login.resident:
                    self._compare(login)
            if not login.known and self._evidence.says(_SOURCE):
                self._strange(login)
        return 0

    def _compare(self, login: Login) -> int:
        """What the site's week and the names it has say of a login from a place nobody is at home at."""
        now_ns = self._now_ns
        if login.counts:
            self._weekly.observe(login, now_ns, self._evidence)
            if login.nobody:
                self._unknowns.observe(login, self._credentials.all_good(now_ns), now_ns, self._evidence)
            return 0
        if login.took_back:
            self._weekly.take_back(login)
        row = self._sources.current
        if login.good_gain > 0.0 and row is not None and row.failing:
            self._strays.excuse(login.good_gain * min(1.0, row.pairs_d))
            self._unknowns.take_back(login)
        return 0

    def _strange(self, login: Login) -> int:
        """What its client says of a source that is suspected anyway. Its own good login speaks for no client."""
        row = self._sources.current
        own = min(1.0, row.good) if row is not None else 0.0
        return self._fingerprints.strange(login, own, self._now_ns)

    def _asking(self) -> Ahead:
        """What asks for the records of logins ahead."""
        trackers = (
            self._sources,
            self._networks,
            self._accounts,
            self._takeovers,
            self._fingerprints,
            self._pairs,
            self._credentials,
        )
        ahead = Ahead(tuple([tracker.table for tracker in trackers]), self._campaigns)
        ahead.follow(self._led[-1] if self._led else None)
        return ahead

    def _is_explained(self) -> bool:
        """Whether the login observed last belongs to an open finding other than that of the site."""
        return (
            self._accounts.is_pinned()
            or self._fingerprints.is_pinned()
            or self._credentials.is_pinned()
            or self._sources.is_pinned()
            or self._networks.is_pinned()
        )

    def _judge_takeover(self, login: Login) -> Finding | None:
        suspicions = []
        for name in ("source", "fingerprint", "credential"):
            group = GROUPS.index(name)
            if self._evidence.says(group):
                # A new client is weighed by the account itself, which may have logged in with it before.
                weight = self._judge.score(group, self._evidence, 1 << STRANGE_CLIENT)
                suspicions.append(self._suspicion(group, login, weight))
        return self._hijacks.judge(self._takeovers.latest(), tuple(suspicions), self._now_ns)

    def _look_back(self, raised: OpenFinding) -> list[Finding]:
        """An attack was recognised: judge again the successes that came before."""
        if raised.group not in SUSPECTS:
            return []
        group = GROUPS.index(raised.group)
        suspicion = self._suspicion_by(group, raised.key, raised.log_odds - self.settings.prior)
        return self._hijacks.look_back(raised, suspicion, self._now_ns)

    def _suspicion(self, group: int, login: Login, weight: float) -> Suspicion:
        if group == 2:
            source = self._sources.current
            if source is None or not source.failing or source.tries_d < HALF_A_TRY:
                weight = min(weight, self.settings.takeover.secret_cap)
        return self._suspicion_by(group, self._grouped[group].key(login), weight)

    def _suspicion_by(self, group: int, key: int, weight: float) -> Suspicion:
        s = self.settings.takeover
        row = self._grouped[group].table.peek(key)
        tries = row.tries_d if row is not None and row.failing else 0.0
        rate = s.client_hit_rate if group == 1 else s.source_hit_rate
        return Suspicion(SUSPECTS[GROUPS[group]], weight, tries, row.good if row is not None else 0.0, rate)

    def _pass_time(self) -> list[Finding] | None:
        now_ns = self._now_ns
        if now_ns - self._ticked_ns >= _TICK:
            self._ticked_ns = now_ns
            for tracker in self._every:
                tracker.tick(now_ns)
        if now_ns - self._campaigns.swept_ns < _SWEEP:
            return None
        return self._campaigns.sweep(now_ns) + self._hijacks.sweep(now_ns)

    def _count(self, name: str) -> int:
        self._counts[name] = self._counts.get(name, 0) + 1
        return 0
