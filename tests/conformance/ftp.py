"""ftp.log against `ftp.command` and `ftp.reply`."""

from collections import Counter

from lapwing.events import SessionMessaged
from lapwing.events.messages import FtpCommand, FtpReply
from tests.conformance.compare import Comparison, Difference, why_not_compared
from tests.conformance.messages import match_rows, messages_by_flow
from tests.conformance.reasons import FTP_REASONS
from tests.conformance.zeek_logs import Row, cases, rows, unescape

FIELDS = ("user", "command", "arg", "reply_code", "reply_msg")


def exchanges(events: list[SessionMessaged]) -> list[Row]:
    """Commands joined with the replies they got, in order, as rows of ftp.log; the greeting answers `<init>`."""
    found: list[Row] = []
    waiting: list[Row] = [{"user": "<unknown>", "command": "<init>", "arg": None}]
    user = "<unknown>"
    for event in events:
        message = event.message
        if isinstance(message, FtpCommand):
            if message.verb == "USER":
                user = message.argument
            waiting.append({"user": user, "command": message.verb, "arg": message.argument or None})
        elif isinstance(message, FtpReply):
            current = waiting[0] if waiting else (found[-1] if found else {})
            answer = {"reply_code": str(message.code), "reply_msg": message.text.split("\n")[-1] or None}
            found.append({**current, **answer})
            if message.code >= 200 and waiting:
                waiting.pop(0)
    return found + [{**row, "reply_code": None, "reply_msg": None} for row in waiting]


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    if field == "arg" and (theirs is None or theirs.startswith("ftp://") or ours == "[redacted]"):
        return True  # theirs is a URL made of the working directory and the argument, or a password
    if theirs is None or ours is None:
        return theirs == ours
    if field == "reply_msg":
        return unescape(theirs).strip() == ours.strip()
    return unescape(theirs) == ours


def compare_ftp() -> Comparison:
    """Compare every case that has an ftp.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case in cases("ftp.log"):
        theirs = rows(case.expected / "ftp.log")
        if reason := why_not_compared("ftp.log", case):
            left_out[reason] += len(theirs)
            continue
        ours = {key: exchanges(events) for key, events in messages_by_flow(case, "ftp").items()}
        compared += len(theirs)
        differences += match_rows(case, theirs, ours, FIELDS, FTP_REASONS, _same)
    return Comparison("ftp.log", compared, differences, left_out)
