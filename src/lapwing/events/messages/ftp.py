"""FTP control channel (RFC 959)."""

from typing import Self

import msgspec

from lapwing.events.messages.base import REDACTED, UNKNOWN_VERB, BaseMessage

SECRET_COMMANDS = frozenset({"PASS", "ACCT", "ADAT", "ENC", "CONF", "MIC", UNKNOWN_VERB})
SECRET_SITE_COMMANDS = frozenset({"CHPASS", "CPWD", "GPASS", "PASS", "PASSWD", "PSWD", "PSWRD"})


class FtpCommand(BaseMessage, frozen=True, gc=False, tag="ftp.command"):
    """One command line; `verb` is upper case, `UNKNOWN` when the line has none (then `argument` is the whole line)."""

    verb: str
    argument: str = ""

    def redacted(self) -> Self:
        """Hide the argument of commands that carry secrets."""
        if self.verb in SECRET_COMMANDS and self.argument:
            return msgspec.structs.replace(self, argument=REDACTED)
        subcommand = self.argument.partition(" ")[0] if self.verb == "SITE" else ""
        if subcommand.upper() in SECRET_SITE_COMMANDS:
            return msgspec.structs.replace(self, argument=f"{subcommand} {REDACTED}")
        return self


class FtpReply(BaseMessage, frozen=True, gc=False, tag="ftp.reply"):
    """One complete reply, multi-line replies joined by newlines."""

    code: int
    text: str = ""
