"""Which fields of a form are a user name, which a password, and which say that the form is no login."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from lapwing.logins.http_fields import Fields

MAX_KNOWN_NAMES = 4096  # field names remembered; a site has dozens
MAX_NAME_CHARS = 200  # of a field name looked at

_SEPARATORS = re.compile(r"[^0-9a-z]+")
# Beside a password these say which of several it is: the form sets one.
_SETTING_WORDS = frozenset({"new", "old", "current", "confirm", "confirmation", "repeat", "retype", "again", "verify"})
_SETTING_NAME = re.compile(
    r"(?:new|old|current|confirm|repeat|retype|verify)(?:user)?pass(?:word|wd)?|pass(?:word|wd)?(?:1|2|confirm\w*|again|repeat)"
)
_MAIL_NAMES = frozenset({"email", "mail", "emailaddress", "useremail"})


class Look(NamedTuple):
    """What a field's name says. Ranks count from 0, the likeliest; None when it is no such name."""

    user_rank: int | None
    secret_rank: int | None
    sets_secret: bool
    is_mail: bool


class Sorted(msgspec.Struct, frozen=True, gc=False):
    """What the fields of one form say. `user` and `secret` are values, None when there is no such field."""

    user: str | None
    secret: str | None
    sets_secret: bool  # registration, change or reset of a password
    describes_person: bool  # a user name and another mail address: an account is made or changed


class FieldNames:
    """Sorts fields by their names, compared without case and separators, prefixes such as `user[...]` left away."""

    def __init__(self, username_fields: Sequence[str], secret_fields: Sequence[str]) -> None:
        self._user_ranks = {"".join(_parts(name)): rank for rank, name in enumerate(username_fields)}
        self._secret_ranks = {"".join(_parts(name)): rank for rank, name in enumerate(secret_fields)}
        self._look = lru_cache(maxsize=MAX_KNOWN_NAMES)(self._look_at)

    def sort_out(self, fields: Fields) -> Sorted:
        """Pick the likeliest user name that has a value and the likeliest password."""
        user = secret = None
        user_rank = secret_rank = len(self._user_ranks) + len(self._secret_ranks)
        sets_secret = False
        mails: set[str] = set()
        users: set[str] = set()
        secret_names: set[str] = set()
        for name, value in fields:
            as_user, as_secret, sets, is_mail = self._look(name[:MAX_NAME_CHARS])
            sets_secret |= sets
            if as_user is not None and value:
                (mails if is_mail else users).add(value)
                if as_user < user_rank:
                    user, user_rank = value, as_user
            if as_secret is not None:
                secret_names.add(name)
                if as_secret < secret_rank:
                    secret, secret_rank = value, as_secret
        return Sorted(user, secret, sets_secret or len(secret_names) > 1, bool(mails and users and mails != users))

    def _look_at(self, name: str) -> Look:
        parts = _parts(name)
        if not parts:
            return Look(None, None, sets_secret=False, is_mail=False)
        whole = "".join(parts)
        last = parts[-1]
        secret_rank = self._secret_ranks.get(whole, self._secret_ranks.get(last))
        sets_secret = _SETTING_NAME.search(whole) is not None
        if secret_rank is not None or "pass" in whole:
            sets_secret |= not _SETTING_WORDS.isdisjoint(parts)
        user_rank = self._user_ranks.get(whole, self._user_ranks.get(last))
        return Look(user_rank, secret_rank, sets_secret, is_mail=whole in _MAIL_NAMES or last in _MAIL_NAMES)


def _parts(name: str) -> list[str]:
    return [part for part in _SEPARATORS.split(name.casefold()) if part]


@lru_cache(maxsize=16)  # one per settings object in use
def field_names(username_fields: tuple[str, ...], secret_fields: tuple[str, ...]) -> FieldNames:
    """Return the FieldNames of these settings, made once."""
    return FieldNames(username_fields, secret_fields)
