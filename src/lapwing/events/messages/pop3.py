"""POP3 (RFC 1939, AUTH: RFC 5034)."""

from typing import Self

import msgspec

from lapwing.events.messages.base import REDACTED, UNKNOWN_VERB, BaseMessage
from lapwing.events.messages.smtp import AUTH_DATA_VERB

_SECRET_VERBS = frozenset({"PASS", AUTH_DATA_VERB, UNKNOWN_VERB})


class Pop3Command(BaseMessage, frozen=True, gc=False, tag="pop3.command"):
    """One command line; `verb` is upper case.

    A line of an AUTH exchange has the verb `AUTH-DATA`, one that is no command `UNKNOWN`; `argument` is then the line.
    """

    verb: str
    argument: str = ""

    def redacted(self) -> Self:
        """Hide passwords, digests and what an AUTH exchange carries."""
        if self.verb in _SECRET_VERBS and self.argument:
            return msgspec.structs.replace(self, argument=REDACTED)
        if self.verb in {"AUTH", "APOP"} and " " in self.argument:
            return msgspec.structs.replace(self, argument=self.argument.split(" ", 1)[0] + " " + REDACTED)
        return self


class Pop3Reply(BaseMessage, frozen=True, gc=False, tag="pop3.reply"):
    """One reply. `status` is `ok`, `err`, or `continue` for a challenge; listings and mails are only counted."""

    status: str
    text: str = ""
    body_bytes: int = 0


Pop3Message = Pop3Command | Pop3Reply
