"""What a program tells a guard of a login, and what it may be told back."""

from typing import Any

import msgspec

from lapwing.app.login_try import LoginTry
from lapwing.detect import Verdict
from lapwing.events import Action, Circumstances, Finding, Outcome


class AuthAttempt(LoginTry):
    """One login try. All fields are keywords.

    `source`: the client's address. `endpoint`: the login surface, a template such as `POST /login`.
    `secret`: what was typed; it is tagged under the guard's key when the guard sees it and dropped from here.
    `secret_tag`: a tag made elsewhere instead. `fingerprint`: of the client software, e.g. a JA4.
    `ts_ns`: nanoseconds UTC; the guard's clock when None. `circumstances`: what else is known of the login.
    """

    __slots__ = ()

    def __init__(
        self,
        *,
        source: str,
        endpoint: str = "POST /login",
        username: str | None = None,
        secret: str | None = None,
        secret_tag: str | None = None,
        fingerprint: str | None = None,
        ts_ns: int | None = None,
        protocol: str = "http",
        mechanism: str = "form",
        circumstances: Circumstances | None = None,
    ) -> None:
        self.circumstances = circumstances
        self.source = source
        self.endpoint = endpoint
        self.username = username
        self._secret = secret
        self._bare = False
        self.secret_tag = secret_tag
        self.fingerprint = fingerprint
        self.ts_ns = ts_ns
        self.protocol = protocol
        self.mechanism = mechanism


class AuthResult(AuthAttempt):
    """How a login try ended; it carries all of the try, so that it can be told alone.

    `account_exists`: False where there is no such account. `circumstances` may say how a second factor ended.
    """

    __slots__ = ("account_exists", "outcome")

    def __init__(self, *, outcome: Outcome | str, account_exists: bool | None = None, **attempt: Any) -> None:
        super().__init__(**attempt)
        self.outcome = Outcome(outcome)
        self.account_exists = account_exists


class Takeover(msgspec.Struct, frozen=True):
    """A login that succeeded and is probably not its owner's: challenge it and end its session.

    `account` and `source` are that login's, which may have been before the one that was told just now.
    """

    action: Action
    risk: float
    account: str
    source: str
    verdict: Verdict
    finding: Finding
