"""SMTP commands and replies (RFC 5321, AUTH: RFC 4954)."""

from typing import Self

import msgspec

from lapwing.events.messages.base import REDACTED, UNKNOWN_VERB, BaseMessage
from lapwing.events.messages.carried import CarriedFile

AUTH_DATA_VERB = "AUTH-DATA"


class SmtpCommand(BaseMessage, frozen=True, gc=False, tag="smtp.command"):
    """One command line; `verb` is upper case.

    A line of an AUTH exchange has the verb `AUTH-DATA`, one that is no command at all `UNKNOWN`; `argument` is then
    the whole line.
    """

    verb: str
    argument: str = ""

    def redacted(self) -> Self:
        """Hide what an AUTH exchange carries; the mechanism stays."""
        if self.verb in {AUTH_DATA_VERB, UNKNOWN_VERB}:
            return msgspec.structs.replace(self, argument=REDACTED)
        if self.verb == "AUTH" and " " in self.argument:
            return msgspec.structs.replace(self, argument=self.argument.split(" ", 1)[0] + " " + REDACTED)
        return self


class SmtpReply(BaseMessage, frozen=True, gc=False, tag="smtp.reply"):
    """One complete reply, multi-line replies joined by newlines."""

    code: int
    text: str = ""


class SmtpMail(BaseMessage, frozen=True, gc=False, tag="smtp.mail"):
    """One mail transaction, when its DATA or last BDAT ended: envelope, selected header fields, size.

    `body_bytes` counts what follows the header section, without the dots added for transparency. `complete` is False
    when bytes were missing or the flow ended first.
    """

    mail_from: str
    rcpt_to: list[str]
    headers: list[tuple[str, str]]
    body_bytes: int
    complete: bool = True
    files: list[CarriedFile] = msgspec.field(default_factory=list)
