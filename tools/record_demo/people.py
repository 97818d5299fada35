"""Names, passwords and browsers, all invented.

They are drawn from one seeded generator, so that every recording has the same cast.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from .clients import Headers

_FIRST = """
ada alma anton bela bruno carla cyril dora edgar elin emil fanny felix flora gerda gustav hanna
hedda henrik ida ivo jakob jette kaspar klara lasse lena linus lotte magnus maja milan nora olaf
otilia paul pia quirin rasmus romy selma sigrid stefan tilda tobias ulrike vera viktor wanda xaver
yara zelda
"""
_LAST = """
ahorn birke buche dachs distel drossel eibe erle falk fink ginster habicht hasel iltis kauz kiebitz
kranich lerche linde luchs marder meise moos otter pappel quelle rabe reiher schilf specht star
storch tanne ulme weide wiesel
"""
_WORDS = """
amber basin cedar delta ember fable grove heath inlet juniper kettle lantern meadow nickel orchard
pebble
"""

_ACCEPT = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")


def _gecko(system: str, version: int) -> Headers:
    agent = f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
    rest = (
        ("Accept-Language", "en-GB,en;q=0.5"),
        ("Accept-Encoding", "gzip, deflate"),
        ("Connection", "keep-alive"),
    )
    return (("User-Agent", agent), _ACCEPT, *rest)


def _blink(system: str, version: int) -> Headers:
    agent = f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    rest = (("Accept-Encoding", "gzip, deflate"), ("Accept-Language", "en-GB,en;q=0.9"))
    return (("Connection", "keep-alive"), ("User-Agent", agent), _ACCEPT, *rest)


def _webkit(system: str, version: int) -> Headers:
    agent = f"Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version}.1 Safari/605.1.15"
    return (_ACCEPT, ("Accept-Language", "en-gb"), ("Connection", "keep-alive"), ("User-Agent", agent))


_MAC, _WINDOWS, _LINUX = (
    "Macintosh; Intel Mac OS X 10_15_7",
    "Windows NT 10.0; Win64; x64",
    "X11; Linux x86_64",
)
_PHONE = "iPhone; CPU iPhone OS 18_1 like Mac OS X"
BROWSERS: tuple[Headers, ...] = (
    *(_gecko(system, version) for system in (_WINDOWS, _LINUX) for version in (140, 145, 146)),
    *(_blink(system, version) for system in (_WINDOWS, _MAC, _LINUX) for version in (141, 142, 143)),
    *(_webkit(system, version) for system in (_MAC, _PHONE) for version in (17, 18)),
)
APPS: tuple[Headers, ...] = tuple(
    (("User-Agent", f"Lanterns/{version} ({system})"), ("Accept", "application/json"))
    for version in ("5.1", "5.2")
    for system in ("Android 15", "iOS 18.1")
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account name and its right password."""

    name: str
    password: str


class Cast:
    """Deals out people and passwords; the same seed deals the same cast."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        names = [(first, last) for first in _FIRST.split() for last in _LAST.split()]
        self.draw.shuffle(names)
        self._names = iter(names)
        self._words = _WORDS.split()

    def password(self) -> str:
        """A pass phrase of two words and a number."""
        first, second = self.draw.choice(self._words), self.draw.choice(self._words)
        return f"{first.title()}-{second}-{self.draw.randrange(100, 1000)}"

    def person(self) -> Account:
        """Somebody with an address at example.com."""
        first, last = next(self._names)
        return Account(f"{first}.{last}@example.com", self.password())

    def mistype(self, password: str) -> str:
        """The password with one slip: a letter left out, doubled, two swapped, or the wrong case."""
        at = self.draw.randrange(1, len(password) - 2)
        while password[at] == password[at + 1]:
            at = self.draw.randrange(1, len(password) - 2)
        slips = (
            password[:at] + password[at + 1 :],
            password[:at] + password[at] + password[at:],
            password[:at] + password[at + 1] + password[at] + password[at + 2 :],
            password.swapcase(),
        )
        return self.draw.choice(slips)
