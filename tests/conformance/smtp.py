"""smtp.log against `smtp.command`, `smtp.reply` and `smtp.mail`."""

from collections import Counter

from lapwing.events import SessionMessaged
from lapwing.events.messages import SmtpCommand, SmtpMail, SmtpReply
from tests.conformance.compare import Comparison, Difference
from tests.conformance.messages import match_rows, messages_by_flow
from tests.conformance.reasons import OUT_OF_SCOPE, SMTP_REASONS
from tests.conformance.zeek_logs import Row, cases, rows, unescape

FIELDS = ("trans_depth", "helo", "mailfrom", "rcptto", "date", "from", "msg_id", "subject", "last_reply")
HEADERS = {"date": "date", "from": "from", "message-id": "msg_id", "subject": "subject"}


def mails(events: list[SessionMessaged]) -> list[Row]:
    """The mail transactions of one connection, or what was said without one, as rows of smtp.log."""
    found: list[Row] = []
    helo: str | None = None
    last_reply: str | None = None
    for event in events:
        message = event.message
        if isinstance(message, SmtpCommand) and message.verb in ("HELO", "EHLO"):
            helo = message.argument
        elif isinstance(message, SmtpMail):
            row: Row = dict.fromkeys(FIELDS)
            row |= {
                "trans_depth": str(len(found) + 1),
                "helo": helo,
                "mailfrom": message.mail_from,
                "rcptto": ",".join(sorted(message.rcpt_to)),
            }
            for name, value in message.headers:
                if name.lower() in HEADERS:
                    row[HEADERS[name.lower()]] = value
            found.append(row)
        elif isinstance(message, SmtpReply):
            last_reply = f"{message.code} {message.text.splitlines()[-1] if message.text else ''}".strip()
            if found and "last_reply" in found[-1] and found[-1]["last_reply"] is None:
                found[-1]["last_reply"] = last_reply
    if not found:
        found.append({"trans_depth": "1", "helo": helo, "last_reply": last_reply})
    return found


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
        if case.name in OUT_OF_SCOPE:
            left_out[OUT_OF_SCOPE[case.name]] += len(theirs)
            continue
        ours = {key: mails(events) for key, events in messages_by_flow(case, "smtp").items()}
        compared += len(theirs)
        differences += match_rows(case, theirs, ours, FIELDS, SMTP_REASONS, _same)
    return Comparison("smtp.log", compared, differences, left_out)
