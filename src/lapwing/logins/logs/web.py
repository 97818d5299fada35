"""What a web server's log tells of logins: one request a line, no body, no cookie, no redirect's target.

So the status must do. Refusals (401, 403, 422, 423, 429) speak for themselves. What a page (200) or a redirect means
depends on the application: known for widespread software, told by the owner in `outcomes`, or learnt from the surface's
other answers. Where neither is the case the outcome is unknown, which accuses nobody.
"""

from typing import NamedTuple

from lapwing.events import Outcome
from lapwing.logins.endpoints import MAX_PATH_CHARS, derived_template, path_segments
from lapwing.logins.forwarded import TrustedProxies
from lapwing.logins.http_rules import rules_of
from lapwing.logins.logs.context import LogContext, address
from lapwing.logins.logs.contract import Miss, Reading
from lapwing.logins.logs.rules import outcome_table
from lapwing.logins.usernames import MAX_USERNAME_CHARS

MAX_SEEN_SUCCESSES = 16_384  # pairs of source and name with accepted Basic credentials; those come with each request
SEEN_FOR_NS = 3_600 * 10**9  # after so long without a request the next accepted one is a login again
MAX_TARGETS = 4_096  # none longer than MAX_PATH_CHARS, whose surface is remembered; then all anew
MAX_SURFACES = 1_024  # with remembered answers; a site has a handful
NO_NAME = ("", "-")

REFUSED, PAGE, REDIRECT = 1, 2, 4  # kinds of answers a surface has given
_REFUSALS = {401: 0.97, 403: 0.8, 422: 0.8}
_TOKEN_SURFACES = ("/token", "openid-connect/token")

# Answers of software whose ways are known: the page again is a failure, a redirect a success.
_PAGE_MEANS_FAILURE = frozenset(
    {
        "POST /wp-login.php",
        "POST /accounts/login",
        "POST /admin/login",
        "POST /users/sign_in",
        "POST /login.php",
        "POST /user/login",
    }
)


class Request(NamedTuple):
    """One request of an access log. `peer` is who connected; empty texts and None stand for what is not logged."""

    ts_ns: int
    peer: str
    method: str
    target: str
    status: int
    user: str = ""
    user_agent: str | None = None
    forwarded: str = ""
    port: int | None = None


class WebLogins:
    """Tells which requests are logins and how they ended."""

    __slots__ = (
        "__weakref__",
        "_accepted",
        "_basic",
        "_context",
        "_endpoints",
        "_known",
        "_methods",
        "_outcomes",
        "_proxies",
        "_surfaces",
    )

    def __init__(self, context: LogContext) -> None:
        self._context = context
        self._surfaces: dict[str, int] = {}
        self._accepted: dict[tuple[str, str], int] = {}
        self.follow()
        context.followers.add(self)

    def follow(self) -> None:
        """Take the settings as they are now; what surfaces answered and who is in goes on to be known."""
        settings, logs = self._context.settings, self._context.logs
        self._endpoints = rules_of(settings).endpoints
        self._basic = settings.http_basic
        self._methods = self._endpoints.methods
        self._outcomes = outcome_table(logs.outcomes)
        self._proxies = TrustedProxies(logs.trusted_proxies)
        self._known: dict[tuple[str, str], str | None] = {}

    @property
    def marks(self) -> tuple[str, ...]:
        """One of these stands in every line with a request that may go to a login surface."""
        return tuple(f'"{method} ' for method in sorted(self._methods))

    def read(self, request: Request) -> Reading:
        """Return the login that `request` is."""
        template = self._surface(request.method, request.target) if request.method in self._methods else None
        named = request.user not in NO_NAME
        if template is None and not (named and self._basic):
            return Miss.OTHER
        client_ip = address(request.peer)
        if client_ip is None:
            return Miss.NO_ADDRESS
        if self._proxies:
            client_ip = self._proxies.client(client_ip, request.forwarded)
        if template is None:
            return self._authorised(request, client_ip)
        outcome, sure = self._answer(template, request.status)
        return self._context.login(
            request.ts_ns,
            "http",
            "form",
            client_ip,
            outcome,
            f"status {request.status}",
            endpoint=template,
            username=request.user if named else None,
            client_port=request.port if client_ip == request.peer else None,
            confidence=sure,
            user_agent=request.user_agent,
        )

    def _surface(self, method: str, target: str) -> str | None:
        """The login surface of a request, None when it is none."""
        asked = (method, target.partition("?")[0])
        if len(asked[1]) > MAX_PATH_CHARS:
            return self._endpoints.find_any_body(method, path_segments(target))
        try:
            return self._known[asked]
        except KeyError:
            if len(self._known) >= MAX_TARGETS:
                self._known.clear()
            found = self._known[asked] = self._endpoints.find_any_body(method, path_segments(target))
            return found

    def _answer(self, surface: str, status: int) -> tuple[Outcome, float]:
        if self._outcomes and (told := self._outcomes.get((surface, status))) is not None:
            return told, 1.0
        if status in _REFUSALS:
            self._learn(surface, REFUSED)
            return Outcome.FAILED, _REFUSALS[status]
        if status in (423, 429):
            return Outcome.LOCKED, 0.9
        if status == 400 and surface.endswith(_TOKEN_SURFACES):  # RFC 6749 section 5.2: invalid_grant
            self._learn(surface, REFUSED)
            return Outcome.FAILED, 0.8
        if 200 <= status < 300:
            seen = self._learn(surface, PAGE)
            if seen & REFUSED or surface.endswith(_TOKEN_SURFACES):
                return Outcome.SUCCEEDED, 0.8
            if seen & REDIRECT or surface in _PAGE_MEANS_FAILURE:
                return Outcome.FAILED, 0.7
        elif status in (302, 303):
            seen = self._learn(surface, REDIRECT)
            if seen & (REFUSED | PAGE) or surface in _PAGE_MEANS_FAILURE:
                return Outcome.SUCCEEDED, 0.7
        return Outcome.UNKNOWN, 0.0

    def _learn(self, surface: str, kind: int) -> int:
        """Remember an answer; what the surface has answered before and now."""
        seen = self._surfaces.get(surface, 0) | kind
        if len(self._surfaces) < MAX_SURFACES or surface in self._surfaces:
            self._surfaces[surface] = seen
        return seen

    def _authorised(self, request: Request, client_ip: str) -> Reading:
        """A request with a name: Basic credentials, which come with every request though they are one login."""
        if request.status == 401:
            outcome, sure = Outcome.FAILED, 0.97
        elif 200 <= request.status < 400 and self._is_fresh(client_ip, request.user, request.ts_ns):
            outcome, sure = Outcome.SUCCEEDED, 0.85
        else:
            return Miss.OTHER
        surface = derived_template("", path_segments(request.target)[:1]).lstrip()
        return self._context.login(
            request.ts_ns,
            "http",
            "basic",
            client_ip,
            outcome,
            f"status {request.status}",
            endpoint=f"basic {surface}",
            username=request.user,
            client_port=request.port if client_ip == request.peer else None,
            confidence=sure,
            user_agent=request.user_agent,
        )

    def _is_fresh(self, client_ip: str, user: str, ts_ns: int) -> bool:
        pair = (client_ip, user[:MAX_USERNAME_CHARS])
        before = self._accepted.pop(pair, None)
        if before is None and len(self._accepted) >= MAX_SEEN_SUCCESSES:
            del self._accepted[next(iter(self._accepted))]
        self._accepted[pair] = ts_ns
        return before is None or ts_ns - before > SEEN_FOR_NS
