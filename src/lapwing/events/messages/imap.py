"""IMAP (RFC 9051, RFC 3501)."""

from typing import Self

import msgspec

from lapwing.events.messages.base import REDACTED, UNKNOWN_VERB, BaseMessage
from lapwing.events.messages.smtp import AUTH_DATA_VERB


class ImapCommand(BaseMessage, frozen=True, gc=False, tag="imap.command"):
    """One command; `verb` is upper case, with `UID` before it where that was said.

    `arguments` are user name and secret of LOGIN, mechanism and initial response of AUTHENTICATE, otherwise the rest of
    the line. A line of an AUTHENTICATE exchange has the verb `AUTH-DATA`, one that is no command `UNKNOWN`.
    """

    tag: str
    verb: str
    arguments: list[str] = msgspec.field(default_factory=list)

    def redacted(self) -> Self:
        """Hide passwords and what an AUTHENTICATE exchange carries."""
        kept = {"LOGIN": 1, "AUTHENTICATE": 1, AUTH_DATA_VERB: 0, UNKNOWN_VERB: 0}.get(self.verb)
        if kept is None or len(self.arguments) <= kept:
            return self
        return msgspec.structs.replace(self, arguments=[*self.arguments[:kept], REDACTED])


class ImapResponse(BaseMessage, frozen=True, gc=False, tag="imap.response"):
    """One status response or challenge: `tag` is that of the command it answers, `*`, or `+` for a challenge.

    `status` is `OK`, `NO`, `BAD`, `BYE`, `PREAUTH`, or empty for a challenge. Data the server sends is not shown.
    """

    tag: str
    status: str
    text: str = ""


ImapMessage = ImapCommand | ImapResponse
