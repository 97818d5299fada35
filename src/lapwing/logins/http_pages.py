"""What the body of an answer says about a login: JSON flags and tokens, forms, words."""

import re
from hashlib import blake2b

from lapwing.logins.http_fields import json_fields

MAX_PAGE_BYTES = 64 * 1024  # of a page searched
MAX_REMEMBERED = 1024  # answers, by digest and what was wanted of them: many logins fail with the same page
_DIGEST_BYTES = 16


# What an answer shows, as bits of a Sign: several can be true at once; who reads them decides what weighs more.
# Plain numbers, for an enum's operators cost more than finding the signs.
Sign = int
NOTHING: Sign = 0
FAILURE: Sign = 1  # says that the credentials are wrong
SUCCESS: Sign = 2  # says that it worked
TOKEN: Sign = 4  # hands out a token
LOCKED: Sign = 8
CHALLENGE: Sign = 16  # wants a second factor
PASSWORD_FORM: Sign = 32
LOGOUT_LINK: Sign = 64
ERROR: Sign = 128  # reports some error
ANY: Sign = 255

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
        FAILURE,
        _FAILED,
        (
            *("invalid", "incorrect", "wrong", "bad ", "unknown", "recogni", "match", "not found", "not exist"),
            *("not valid", "failed", "failure", "denied", "unsuccessful", "error", "unauthori"),
        ),
    ),
    (LOCKED, _LOCKED, ("locked", "disabled", "suspended", "too many", "limit")),
    (CHALLENGE, _CHALLENGE, ("factor", "2fa", "mfa", "otp", "time ", "verification", "authenticator")),
)
_WORD_TRIES = 4  # places looked at per word
_BEFORE_CHARS = 64  # of a word, and
_AFTER_CHARS = 96  # behind it: more than any pattern spans
_CHALLENGE_NAME = re.compile(
    r"(?:mfa|2fa|otp|two_?-?factor)\w{0,40}?(?:required|challenge|pending|needed|token|state)"
    r"|(?:require|need)\w{0,40}?(?:mfa|2fa|otp|two_?-?factor)"
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


_json_signs: dict[tuple[bytes, Sign], Sign | None] = {}
_page_signs: dict[tuple[bytes, Sign], Sign] = {}


def read_json(body: bytes, wanted: Sign = ANY) -> Sign | None:
    """Return what a JSON answer shows, None when it is no JSON. Of what its words say, only `wanted` is looked for."""
    key = (blake2b(body, digest_size=_DIGEST_BYTES).digest(), wanted)
    if key not in _json_signs:
        if len(_json_signs) == MAX_REMEMBERED:
            _json_signs.clear()
        _json_signs[key] = _look_at_json(body, wanted)
    return _json_signs[key]


def _look_at_json(body: bytes, wanted: Sign) -> Sign | None:
    fields = json_fields(body)
    if not fields and body.strip() not in {b"{}", b"[]"}:
        return None
    signs = NOTHING
    for name, value in fields:
        signs |= _read_field(name, value, wanted)
    return signs


def _read_field(name: str, value: str, wanted: Sign) -> Sign:
    name = name.casefold()
    key = name.replace("_", "").replace("-", "")
    if key in _FLAG_NAMES:
        return FAILURE if value.casefold() in _NOT_GOOD else SUCCESS
    if key in _TOKEN_NAMES:
        return TOKEN if len(value) >= _MIN_TOKEN_CHARS else NOTHING
    if _CHALLENGE_NAME.search(name):
        return NOTHING if value.casefold() in _FALSY else CHALLENGE
    signs = NOTHING
    if key in _STATUS_NAMES:
        word = value.casefold()
        signs = SUCCESS if word in _GOOD else (FAILURE if word in _NOT_GOOD else NOTHING)
    elif key in _ERROR_NAMES and value.casefold() not in _FALSY:
        signs = ERROR
    if signs or key in _TALK_NAMES or key in _STATUS_NAMES:
        signs |= read_words(value, wanted)
    return signs


def read_page(page: bytes, wanted: Sign = ANY) -> Sign:
    """Return what of `wanted` an HTML or plain-text answer shows."""
    key = (blake2b(page, digest_size=_DIGEST_BYTES).digest(), wanted)
    if key not in _page_signs:
        if len(_page_signs) == MAX_REMEMBERED:
            _page_signs.clear()
        _page_signs[key] = _look_at_page(page[:MAX_PAGE_BYTES], wanted)
    return _page_signs[key]


def _look_at_page(page: bytes, wanted: Sign) -> Sign:
    text = page.decode("utf-8", "replace").lower()
    signs = _words(text, wanted)
    # The words first: going through a page for them costs next to nothing beside the patterns.
    if wanted & PASSWORD_FORM and "password" in text and _PASSWORD_INPUT.search(page):
        signs |= PASSWORD_FORM
    if wanted & LOGOUT_LINK and ("out" in text or "logoff" in text) and _LOGOUT.search(page):
        signs |= LOGOUT_LINK
    return signs


def read_words(text: str, wanted: Sign = ANY) -> Sign:
    """Return what of `wanted` the words of a message say."""
    return _words(text.lower(), wanted)


def _words(text: str, wanted: Sign) -> Sign:
    signs = NOTHING
    for sign, pattern, words in _WORDS:
        if wanted & sign:
            for word in words:
                if word in text and _says(text, word, pattern):
                    signs |= sign
                    break
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
