"""The same logins judged under two configurations: what would appear, what would vanish."""

from collections.abc import Iterable
from typing import NamedTuple

from lapwing.detect import FILE_KEY, Detector
from lapwing.events import Action, AuthResolved, DecisionMade, Event, Finding, FindingRaised
from lapwing.sessions import LoginDriver, PipelineSettings, Wanted

MAX_TOLD = 100_000  # findings and answers kept of each side, about 1 kB each; what is beyond is counted
ANSWERS = (Action.CHALLENGE, Action.DELAY, Action.BLOCK)  # `watch` changes nothing for anybody

Key = tuple[str, str, str]


class Side(NamedTuple):
    """What one configuration made of the history: findings by kind and subject, answers by action and source.

    `left_out` is how many of them were too many to keep.
    """

    findings: dict[Key, Finding]
    answers: dict[Key, DecisionMade]
    logins: int
    left_out: int


class Difference(NamedTuple):
    """What the new configuration adds and what it no longer says, each in the order of time."""

    logins: int
    before: Side
    after: Side
    appeared: list[Finding]
    vanished: list[Finding]
    answered: list[DecisionMade]
    spared: list[DecisionMade]
    left_out: int = 0


class _Run:
    """One configuration at work."""

    def __init__(self, settings: PipelineSettings) -> None:
        detector = Detector(settings.detect)
        decisions = detector.decisions(settings.detect.max_sources, FILE_KEY)
        wanted = Wanted(("finding", "decision"))
        self._driver = LoginDriver(settings, wanted=wanted, detector=detector, decisions=decisions)
        self._findings: dict[Key, Finding] = {}
        self._answers: dict[Key, DecisionMade] = {}
        self._login_count = 0
        self._left_out = 0

    def take(self, login: AuthResolved) -> None:
        self._login_count += 1
        self._note(self._driver.take([login]))

    def finish(self) -> Side:
        self._note(self._driver.finish())
        return Side(self._findings, self._answers, self._login_count, self._left_out)

    def _note(self, events: Iterable[Event]) -> None:
        findings, answers = self._findings, self._answers
        for event in events:
            if isinstance(event, Finding):
                key: Key = (event.finding, event.subject_kind, event.subject)
                if key in findings or (isinstance(event, FindingRaised) and len(findings) < MAX_TOLD):
                    findings[key] = event
                else:
                    self._left_out += isinstance(event, FindingRaised)
            elif isinstance(event, DecisionMade) and event.action in ANSWERS:
                if len(answers) < MAX_TOLD:
                    answers.setdefault((event.action, event.scope, event.value), event)
                else:
                    self._left_out += 1


def compare_runs(logins: Iterable[AuthResolved], before: PipelineSettings, after: PipelineSettings) -> Difference:
    """Judge every login under both; one pass, so a history of any length will do."""
    old, new = _Run(before), _Run(after)
    for login in logins:
        old.take(login)
        new.take(login)
    return difference(old.finish(), new.finish())


def run_alone(logins: Iterable[AuthResolved], settings: PipelineSettings) -> Side:
    """Judge every login under one configuration: for histories whose logins are others under another."""
    one = _Run(settings)
    for login in logins:
        one.take(login)
    return one.finish()


def difference(was: Side, now: Side) -> Difference:
    """What the second adds, and what it no longer says."""
    return Difference(
        now.logins,
        was,
        now,
        [f for key, f in now.findings.items() if key not in was.findings],
        [f for key, f in was.findings.items() if key not in now.findings],
        [d for key, d in now.answers.items() if key not in was.answers],
        [d for key, d in was.answers.items() if key not in now.answers],
        was.left_out + now.left_out,
    )
