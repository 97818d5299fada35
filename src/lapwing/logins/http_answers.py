"""How a login ended, read from the response: status, redirect, cookies, the body, and how it differs from failures.

What proves nothing is `unknown`: a failure is never concluded from the absence of a success.
"""

import re
from hashlib import blake2b

import msgspec

from lapwing.events import Outcome
from lapwing.events.messages import HttpResponse
from lapwing.logins.endpoints import Segments, path_segments
from lapwing.logins.http_fields import inflated
from lapwing.logins.http_pages import (
    ANY,
    CHALLENGE,
    ERROR,
    FAILURE,
    LOCKED,
    LOGOUT_LINK,
    NOTHING,
    PASSWORD_FORM,
    SUCCESS,
    TOKEN,
    Sign,
    read_json,
    read_page,
)

MAX_FAILURE_PAGES = 8  # remembered per connection and surface, the newest
MAX_SURFACES = 16  # per connection with remembered pages; an honest client uses one or two
SAME_PAGE_BYTES = 64  # pages of so nearly one length differ by a name or a token in them
OTHER_PAGE_BYTES = 512  # pages that differ by more show something else

_LOGIN_SEGMENT = re.compile(
    r"(?:user|account|admin|wp)?[_-]?(?:log-?_?in|sign-?_?in|logon)(?:\.\w{2,5})?|auth|sso|sessions?"
)
_ERROR_QUERY = re.compile(
    r"[?&#][^=&]{0,40}(?:err|fail|invalid|denied|incorrect)|[?&](?:auth=0|reauth=1)", re.IGNORECASE
)
_LOCKED_PATH = re.compile(r"\b(?:account-?_?)?(?:locked|lockout|blocked|suspended)\b|too-?_?many")
_CHALLENGE_PATH = re.compile(
    r"\b(?:otp|totp|mfa|2fa|2sv|two-?_?factor|tfa|challenge|second-?_?factor|verify-?_?code)\b|/(?:mfa|2fa|otp)"
)
_SESSION_COOKIE = re.compile(r"sess|sid\b|auth|token|logged_?in|remember|jwt|identity", re.IGNORECASE)
_DEAD_COOKIE = re.compile(
    r"max-age=0\b|expires=\w{3,9}, 01[ -]jan[ -]1970|^[^=;]*=(?:deleted|\"\")?(?:;|$)", re.IGNORECASE
)
_CODE_HEADER = "x-github-otp"
_TELLING_HEADERS = frozenset(
    {"content-type", "location", "set-cookie", "content-encoding", "www-authenticate", _CODE_HEADER}
)


# Members of an enum under names of this module: before Python 3.12 a look at `Outcome.FAILED` costs as much as a call.
_FAILED, _SUCCEEDED, _CHALLENGED = Outcome.FAILED, Outcome.SUCCEEDED, Outcome.CHALLENGED
_LOCKED, _UNKNOWN = Outcome.LOCKED, Outcome.UNKNOWN


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """An outcome, how sure it is (0 to 1) and in a few words what it was read from."""

    outcome: Outcome
    confidence: float
    detail: str


class Login(msgspec.Struct, frozen=True, gc=False):
    """What of the request matters to the reading of its answer."""

    mechanism: str
    endpoint: str
    segments: Segments


def _failed(confidence: float, detail: str) -> Verdict:
    return Verdict(_FAILED, confidence, detail)


def _succeeded(confidence: float, detail: str) -> Verdict:
    return Verdict(_SUCCEEDED, confidence, detail)


def _challenged(confidence: float, detail: str) -> Verdict:
    return Verdict(_CHALLENGED, confidence, detail)


def _locked(confidence: float, detail: str) -> Verdict:
    return Verdict(_LOCKED, confidence, detail)


def _unknown(detail: str) -> Verdict:
    return Verdict(_UNKNOWN, 0.0, detail)


class AnswerReader:
    """Reads the answers of one connection and remembers how its failure pages look."""

    __slots__ = ("_failures",)

    def __init__(self) -> None:
        self._failures: dict[str, list[tuple[int, bytes]]] = {}  # surface to body length and hash

    def judge(self, response: HttpResponse, login: Login) -> Verdict:
        """Return how `login` ended."""
        answer = _Answer(response)
        status = response.status
        if 200 <= status < 300:
            verdict = self._judge_page(answer, login)
        elif 300 <= status < 400:
            verdict = _judge_redirect(answer, login)
        elif status < 500:
            verdict = _judge_refusal(answer, login)
        else:
            verdict = _unknown(f"status {status}")
        if verdict.outcome is _FAILED and 200 <= status < 300:
            self._remember(response, login)
        return verdict

    def _judge_page(self, answer: "_Answer", login: Login) -> Verdict:
        status = answer.response.status
        if login.mechanism in {"basic", "digest"}:
            return _succeeded(0.85, f"status {status}")
        signs = answer.signs()
        if answer.is_json:
            return _judge_json(answer, signs, login)
        return _judge_html(answer, signs) or self._compare(answer, login) or _judge_rest(answer)

    def _compare(self, answer: "_Answer", login: Login) -> Verdict | None:
        """Judge by the difference to the failure pages this connection has seen."""
        known = self._failures.get(login.endpoint)
        if not known:
            return None
        size, digest = _look_of(answer.response)
        if any(digest == other for _, other in known):
            return _failed(0.8, "same page as earlier failures")
        distance = min(abs(size - other) for other, _ in known)
        if distance <= SAME_PAGE_BYTES:
            return _failed(0.6, "page as long as earlier failures")
        if distance >= OTHER_PAGE_BYTES:
            return _succeeded(0.6, "page differs from earlier failures")
        return None

    def _remember(self, response: HttpResponse, login: Login) -> None:
        if login.endpoint in self._failures or len(self._failures) < MAX_SURFACES:
            pages = self._failures.setdefault(login.endpoint, [])
            pages.append(_look_of(response))
            del pages[:-MAX_FAILURE_PAGES]


def _look_of(response: HttpResponse) -> tuple[int, bytes]:
    return response.body_bytes, blake2b(response.body, digest_size=8).digest()


class _Answer:
    """A response with what is read from its headers and, when asked for, its body."""

    __slots__ = ("_encoding", "_type", "is_json", "location", "response", "sets_session", "stale", "wants_code")

    def __init__(self, response: HttpResponse) -> None:
        self.response = response
        self.location = ""
        self.sets_session = False
        self.stale = False
        self.wants_code = False  # says so in a header of its own
        self._encoding = self._type = ""
        for name, value in response.headers:
            key = name.lower()
            if key in _TELLING_HEADERS:
                self._take(key, value)
        self.is_json = "json" in self._type

    def _take(self, name: str, value: str) -> None:
        if name == "content-type":
            self._type = value.casefold()
        elif name == "location":
            self.location = value
        elif name == "set-cookie":
            cookie = value.partition("=")[0]
            self.sets_session |= bool(_SESSION_COOKIE.search(cookie)) and not _DEAD_COOKIE.search(value)
        elif name == "content-encoding":
            self._encoding = value
        elif name == "www-authenticate":
            self.stale |= "stale=true" in value.casefold()
        else:
            self.wants_code = True

    def signs(self, wanted: Sign = ANY) -> Sign:
        """Return what the body shows, of its words only what is `wanted`; nothing when it cannot be read."""
        body = self.response.body
        if self._encoding:
            body = inflated(body, self._encoding)
        if self.is_json or body[:1] == b"{":
            found = read_json(body, wanted)
            self.is_json = found is not None
            if found is not None:
                return found
        return read_page(body, wanted) if body else NOTHING


def _judge_refusal(answer: _Answer, login: Login) -> Verdict:
    status = answer.response.status
    detail = f"status {status}"
    if status in {423, 429}:
        return _locked(0.9, detail)
    signs = answer.signs(LOCKED | CHALLENGE if status in {401, 403} else ANY)  # these two speak for themselves
    if (signs & CHALLENGE and answer.is_json) or answer.wants_code:
        return _challenged(0.85, f"{detail}, second factor wanted")
    if signs & LOCKED:
        return _locked(0.85, f"{detail}, says locked")
    if status == 401:
        return _unknown("status 401, stale nonce") if answer.stale else _failed(0.97, detail)
    if status == 403:
        return _failed(0.6 if login.mechanism in {"basic", "digest"} else 0.8, detail)
    if signs & FAILURE and status in {400, 404, 409, 422}:
        return _failed(0.9, f"{detail}, says wrong credentials")
    if signs & PASSWORD_FORM:
        return _failed(0.75, f"{detail}, password form again")
    return _unknown(detail)


def _judge_redirect(answer: _Answer, login: Login) -> Verdict:
    location = answer.location
    if not location:
        return _unknown(f"status {answer.response.status}")
    segments = path_segments(location)
    path = "/".join(segments)
    if _CHALLENGE_PATH.search("/" + path):
        return _challenged(0.85, "redirect to second factor")
    if _LOCKED_PATH.search(path):
        return _locked(0.8, "redirect says locked")
    if _ERROR_QUERY.search(location):
        return _failed(0.9, "redirect says error")
    if segments == login.segments:
        if answer.sets_session and "?" in location:
            return _unknown("redirect to itself with a cookie")
        return _failed(0.85, "redirect to the login page")
    if any(_LOGIN_SEGMENT.fullmatch(segment) for segment in segments[-2:]):
        return _failed(0.8, "redirect to a login page")
    if answer.sets_session:
        return _succeeded(0.95, "redirect elsewhere with session cookie")
    return _succeeded(0.8, "redirect elsewhere")


def _judge_json(answer: _Answer, signs: Sign, login: Login) -> Verdict:
    status = f"status {answer.response.status}"
    if signs & CHALLENGE:
        return _challenged(0.85, "JSON wants second factor")
    if signs & LOCKED:
        return _locked(0.85, "JSON says locked")
    if signs & FAILURE and not signs & TOKEN:
        return _failed(0.9, "JSON says failed")
    if signs & TOKEN:
        return _succeeded(0.95, "JSON with token")
    if signs & SUCCESS:
        return _succeeded(0.9, "JSON says success")
    if signs & ERROR:
        return _unknown("JSON with an error")
    if answer.sets_session:
        return _succeeded(0.8, f"{status} with session cookie")
    return _succeeded(0.5, f"{status}, JSON without error") if login.mechanism == "json" else _unknown(status)


def _judge_html(answer: _Answer, signs: Sign) -> Verdict | None:
    """Judge by what the page shows; None when it shows nothing of it."""
    if signs & LOGOUT_LINK and not signs & FAILURE:
        return _succeeded(0.85, "page with logout")
    if signs & LOCKED:
        return _locked(0.8, "page says locked")
    if signs & PASSWORD_FORM:
        if signs & FAILURE:
            return _failed(0.95, "password form again, says wrong credentials")
        return _failed(0.85, "password form again")
    if signs & CHALLENGE:
        return _challenged(0.7, "page wants second factor")
    if signs & FAILURE:
        return _failed(0.8, "page says wrong credentials")
    return None


def _judge_rest(answer: _Answer) -> Verdict:
    status = answer.response.status
    if answer.sets_session:
        return _succeeded(0.7, f"status {status} with session cookie")
    if status in {201, 204, 205}:
        return _succeeded(0.6, f"status {status}")
    return _unknown(f"status {status}")
