"""FTP control channel (RFC 959)."""

from typing import Self

import msgspec

from lapwing.events.messages.base import REDACTED, BaseMessage

SECRET_COMMANDS = frozenset({"PASS", "ACCT", "ADAT"})


class FtpCommand(BaseMessage, frozen=True, gc=False, tag="ftp.command"):
    """One command line; `verb` is upper case."""

    verb: str
    argument: str = ""

    def redacted(self) -> Self:
        """Hide the argument of commands that carry secrets."""
        if self.verb in SECRET_COMMANDS and self.argument:
            return msgspec.structs.replace(self, argument=REDACTED)
        return self


class FtpReply(BaseMessage, frozen=True, gc=False, tag="ftp.reply"):
    """One complete reply, multi-line replies joined by newlines."""

    code: int
    text: str = ""
