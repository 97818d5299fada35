"""Prints how many logins that open findings took in had been asked for ahead, by how they came.

Only where nothing is compiled can anybody look at that. Run by `test_asked.py`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from lapwing import AuthAttempt, Guard
from lapwing.detect import DetectSettings
from lapwing.detect.episode import Episode
from lapwing.detect.login import Keyring, Login
from lapwing.events import Action, AuthEvidence, AuthResolved, Outcome

KEY = bytes(range(16))
LOGINS = 400
FIRST = 300  # of them, until findings are open and their records know of them


def facts(wave: int, sources: int) -> Iterator[dict[str, Any]]:
    """Failures of so many sources at three accounts, with one client."""
    for n in range(LOGINS):
        source = wave * 10_000 + n % sources
        yield {
            "ts_ns": (1_000_000 * wave + n) * 1_000_000,
            "source": f"10.{source >> 16 & 255}.{source >> 8 & 255}.{source & 255}",
            "username": f"user{n % 3}",
            "secret_tag": f"{wave}-{n}",
            "fingerprint": "client",
        }


def event(source: str, **others: Any) -> AuthResolved:
    """The same as a login that failed."""
    return AuthResolved(
        client_ip=source,
        outcome=Outcome.FAILED,
        evidence=AuthEvidence.APPLICATION,
        protocol="http",
        mechanism="form",
        endpoint="POST /login",
        confidence=1.0,
        **others,
    )


class Watched:
    """Counts the logins that findings take in, and how many of these they expected since the try began."""

    def __init__(self) -> None:
        self.expected: set[tuple[int, int, int, int]] = set()
        self.taken = self.known = 0
        expect, take = Episode.expect, Episode.take

        def facts_of(episode: Episode, login: Login) -> tuple[int, int, int, int]:
            return id(episode), login.source, login.account, login.secret

        def expected(episode: Episode, login: Login) -> int:
            self.expected.add(facts_of(episode, login))
            return expect(episode, login)

        def taken(episode: Episode, login: Login, keyring: Keyring | None) -> int:
            self.taken += 1
            self.known += facts_of(episode, login) in self.expected
            return take(episode, login, keyring)

        Episode.expect, Episode.take = expected, taken  # type: ignore[method-assign, assignment]

    def say(self, name: str, work: Callable[[], object]) -> None:
        """Print both counts of what `work` does."""
        self.taken = self.known = 0
        self.expected.clear()
        work()
        print(name, self.known, self.taken)


def main() -> None:
    """New sources, which are judged first; sources whose block stands; and a block of events."""
    guard, watched = Guard(DetectSettings(max_sources=1_024), key=KEY), Watched()

    def ask(tries: list[dict[str, Any]]) -> None:
        for one in tries:
            watched.expected.clear()
            assert guard.attempt(AuthAttempt(**one)).action is Action.BLOCK

    first = list(facts(1, LOGINS))
    guard.observe_many([event(**one) for one in first])
    for wave, name, sources in ((2, "judged", LOGINS), (3, "standing", 5)):
        tries = list(facts(wave, sources))
        guard.observe_many([event(**one) for one in tries[:FIRST]])
        watched.say(name, lambda tries=tries: ask(tries[FIRST:]))  # type: ignore[misc]
    events = [event(**one) for one in facts(4, LOGINS)]
    guard.observe_many(events[:FIRST])
    watched.say("events", lambda: guard.observe_many(events[FIRST:]))


if __name__ == "__main__":
    main()
