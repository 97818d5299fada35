"""What the body of an answer says about a login: JSON flags and tokens, forms, words."""

import re
from enum import Flag, auto

from lapwing.logins.http_fields import json_fields

MAX_PAGE_BYTES = 64 * 1024  # of a page searched


class Sign(Flag):
    """Something an answer shows. Several can be true at once; who reads them decides what weighs more."""

    FAILURE = auto()  # says that the credentials are wrong
    SUCCESS = auto()  # says that it worked
    TOKEN = auto()  # hands out a token
    LOCKED = auto()
    CHALLENGE = auto()  # wants a second factor
    PASSWORD_FORM = auto()
    LOGOUT_LINK = auto()
    ERROR = auto()  # reports some error


NOTHING = Sign(0)

_FAILED = re.compile(
    r"(?:invalid|incorrect|wrong|bad|unknown|unrecognized|not recognized|mismatch|do(?:es)?(?: not|n't) match)"
    r"[\w\s,'/-]{0,40}?(?:user|login|e-?mail|pass|credential|account|combination|grant)"
    r"|(?:user|login|e-?mail|pass\w*|credentials?|account)[\w\s,'/-]{0,40}?"
    r"(?:invalid|incorrect|wrong|not found|does not exist|mismatch|not match|not valid)"
    r"|(?:log-?in|log in|sign-?in|authentication|logon)[\w\s]{0,20}?(?:failed|failure|denied|unsuccessful|error)"
    r"|invalid_grant|invalid_client|access denied|unauthori[sz]ed"
)
_LOCKED = re.compile(
    r"(?:account|user)[\w\s]{0,30}?(?:locked|blocked|disabled|suspended)"
    r"|too many (?:\w+ ){0,3}(?:attempts|requests|tries|logins)"
    r"|temporarily (?:locked|blocked)|rate.?limit"
)
_CHALLENGE = re.compile(
    r"two.?factor|\b2fa\b|\bmfa\b|mfa_|multi.?factor|\botp\b|one.?time (?:password|code|pass)|verification.?code"
    r"|authenticator.?(?:app|code)|\btotp\b|second.?factor"
)
# A pattern is tried only around one of its words: finding words is a hundred times faster than trying everywhere.
_WORDS: tuple[tuple[Sign, re.Pattern[str], tuple[str, ...]], ...] = (
    (
        Sign.FAILURE,
        _FAILED,
        (
            *("invalid", "incorrect", "wrong", "bad ", "unknown", "recogni", "match", "not found", "not exist"),
            *("not valid", "failed", "failure", "denied", "unsuccessful", "error", "unauthori"),
        ),
    ),
    (Sign.LOCKED, _LOCKED, ("locked", "disabled", "suspended", "too many", "limit")),
    (Sign.CHALLENGE, _CHALLENGE, ("factor", "2fa", "mfa", "otp", "time ", "verification", "authenticator")),
)
_WORD_TRIES = 4  # places looked at per word
_BEFORE_CHARS = 64  # of a word, and
_AFTER_CHARS = 96  # behind it: more than any pattern spans
_CHALLENGE_NAME = re.compile(
    r"(?:mfa|2fa|otp|two_?-?factor)\w*?(?:required|challenge|pending|needed|token|state)"
    r"|(?:require|need)\w*?(?:mfa|2fa|otp|two_?-?factor)"
)
_PASSWORD_INPUT = re.compile(rb"<input\b[^>]{0,400}?\btype\s{0,4}=\s{0,4}[\"']?password\b", re.IGNORECASE)
_LOGOUT = re.compile(
    rb"(?:href|action)\s{0,4}=\s{0,4}[\"'][^\"'>]{0,200}?(?:log-?_?out|sign-?_?out|logoff)", re.IGNORECASE
)
_TOKEN_NAMES = frozenset(
    {
        "accesstoken",
        "apikey",
        "authtoken",
        "bearer",
        "idtoken",
        "jwt",
        "refreshtoken",
        "sessionid",
        "sessiontoken",
        "sid",
        "token",
    }
)
_MIN_TOKEN_CHARS = 8
_FLAG_NAMES = frozenset({"success", "ok", "authenticated", "loggedin", "isauthenticated", "succeeded", "issuccess"})
_STATUS_NAMES = frozenset({"status", "result", "state", "outcome"})
_ERROR_NAMES = frozenset({"error", "errors", "errormessage", "errordescription", "errorcode"})
_TALK_NAMES = frozenset({"message", "msg", "detail", "details", "reason", "title", "description", "code"})
_GOOD = frozenset({"ok", "success", "succeeded", "authenticated", "true", "1", "loggedin"})
_NOT_GOOD = frozenset({"error", "fail", "failed", "failure", "denied", "unauthorized", "false", "0"})
_FALSY = frozenset({"", "false", "0"})


def read_json(body: bytes) -> Sign | None:
    """Return what a JSON answer shows, None when it is no JSON."""
    fields = json_fields(body)
    if not fields and body.strip() not in {b"{}", b"[]"}:
        return None
    signs = NOTHING
    for name, value in fields:
        signs |= _read_field(name.casefold().replace("_", "").replace("-", ""), name, value)
    return signs


def _read_field(key: str, name: str, value: str) -> Sign:
    if key in _FLAG_NAMES:
        return Sign.FAILURE if value.casefold() in _NOT_GOOD else Sign.SUCCESS
    if key in _TOKEN_NAMES:
        return Sign.TOKEN if len(value) >= _MIN_TOKEN_CHARS else NOTHING
    if _CHALLENGE_NAME.search(name.casefold()):
        return NOTHING if value.casefold() in _FALSY else Sign.CHALLENGE
    signs = NOTHING
    if key in _STATUS_NAMES:
        word = value.casefold()
        signs = Sign.SUCCESS if word in _GOOD else (Sign.FAILURE if word in _NOT_GOOD else NOTHING)
    elif key in _ERROR_NAMES and value.casefold() not in _FALSY:
        signs = Sign.ERROR
    if signs or key in _TALK_NAMES or key in _STATUS_NAMES:
        signs |= read_words(value)
    return signs


def read_page(page: bytes) -> Sign:
    """Return what an HTML or plain-text answer shows."""
    page = page[:MAX_PAGE_BYTES]
    signs = read_words(page.decode("utf-8", "replace"))
    if _PASSWORD_INPUT.search(page):
        signs |= Sign.PASSWORD_FORM
    if _LOGOUT.search(page):
        signs |= Sign.LOGOUT_LINK
    return signs


def read_words(text: str) -> Sign:
    """Return what the words of a message say."""
    text = text.lower()
    signs = NOTHING
    for sign, pattern, words in _WORDS:
        if any(_says(text, word, pattern) for word in words):
            signs |= sign
    return signs


def _says(text: str, word: str, pattern: re.Pattern[str]) -> bool:
    pos = -1
    for _ in range(_WORD_TRIES):
        pos = text.find(word, pos + 1)
        if pos < 0:
            return False
        if pattern.search(text, max(pos - _BEFORE_CHARS, 0), pos + _AFTER_CHARS):
            return True
    return False
