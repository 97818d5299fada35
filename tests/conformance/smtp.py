"""smtp.log against `smtp.command`, `smtp.reply` and `smtp.mail`."""

import re
from collections import Counter

from lapwing.events import SessionMessaged
from lapwing.events.messages import SmtpCommand, SmtpMail, SmtpReply
from tests.conformance.compare import Comparison, Difference, why_not_compared
from tests.conformance.messages import match_rows, messages_by_flow
from tests.conformance.reasons import SMTP_REASONS
from tests.conformance.zeek_logs import Row, cases, rows, unescape

FIELDS = ("trans_depth", "helo", "mailfrom", "rcptto", "date", "from", "msg_id", "subject", "last_reply")
_PATH = re.compile(r":\s*<?([^>\s]*)")
HEADERS = {"date": "date", "from": "from", "message-id": "msg_id", "subject": "subject"}


def mails(events: list[SessionMessaged]) -> list[Row]:
    """The mail transactions of one connection, or what was said without one, as rows of smtp.log.

    Replies answer commands in order, also of a client that does not wait for them (RFC 2920).
    """
    row: Row = {"trans_depth": "1", "helo": None, "last_reply": None}
    found = [row]
    unanswered = [row]  # the greeting
    sent = ""
    for event in events:
        message = event.message
        if isinstance(message, SmtpCommand):
            if message.verb == "MAIL" and "mailfrom" in row:
                row = {"trans_depth": str(len(found) + 1), "helo": row["helo"], "last_reply": None}
                found.append(row)
            sent = message.verb
            _say(row, message)
            unanswered.append({} if message.verb == "QUIT" else row)
        elif isinstance(message, SmtpMail):
            row |= {HEADERS[key.lower()]: value for key, value in message.headers if key.lower() in HEADERS}
            if sent == "DATA":  # answered twice
                unanswered.append(row)
        elif isinstance(message, SmtpReply) and unanswered:
            last_line = message.text.splitlines()[-1] if message.text else ""
            unanswered.pop(0)["last_reply"] = f"{message.code} {last_line}".strip()
    return found


def _say(row: Row, command: SmtpCommand) -> None:
    address = _PATH.search(command.argument)
    if command.verb in ("HELO", "EHLO"):
        row["helo"] = command.argument
    elif command.verb == "MAIL" and address:
        row["mailfrom"] = address[1]
    elif command.verb == "RCPT" and address:
        row["rcptto"] = ",".join(filter(None, (row.get("rcptto"), address[1])))


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    if theirs is None or ours is None:
        return theirs == ours
    if field == "rcptto":
        return sorted(theirs.split(",")) == sorted(ours.split(","))
    return unescape(theirs) == ours


def compare_smtp() -> Comparison:
    """Compare every case that has an smtp.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case in cases("smtp.log"):
        theirs = rows(case.expected / "smtp.log")
        if reason := why_not_compared("smtp.log", case):
            left_out[reason] += len(theirs)
            continue
        ours = {key: mails(events) for key, events in messages_by_flow(case, "smtp").items()}
        compared += len(theirs)
        differences += match_rows(case, theirs, ours, FIELDS, SMTP_REASONS, _same)
    return Comparison("smtp.log", compared, differences, left_out)
