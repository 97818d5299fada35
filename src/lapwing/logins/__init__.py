"""What in a message is a login: one adapter per protocol, made per flow, all emitting the same events.

An adapter is added to LOGIN_PROTOCOLS. Secrets enter here and leave only as keyed tags.
"""

from lapwing.logins.contract import LoginAdapter, LoginContext, LoginProtocol
from lapwing.logins.ftp import FTP_LOGINS
from lapwing.logins.http import HTTP_LOGINS
from lapwing.logins.imap import IMAP_LOGINS
from lapwing.logins.ldap import LDAP_LOGINS
from lapwing.logins.leaked import LeakFilter, load_leaks
from lapwing.logins.pop3 import POP3_LOGINS
from lapwing.logins.secrets import SecretTagger
from lapwing.logins.settings import LoginSettings
from lapwing.logins.smtp import SMTP_LOGINS
from lapwing.logins.ssh import SSH_LOGINS
from lapwing.logins.tries import overdue

LOGIN_PROTOCOLS: tuple[LoginProtocol, ...] = (
    FTP_LOGINS,
    HTTP_LOGINS,
    IMAP_LOGINS,
    LDAP_LOGINS,
    POP3_LOGINS,
    SMTP_LOGINS,
    SSH_LOGINS,
)
READ_FOR_LOGINS = frozenset(login.protocol for login in LOGIN_PROTOCOLS)
_MAKERS = {login.protocol: login.make for login in LOGIN_PROTOCOLS}


def adapter_for(protocol: str, context: LoginContext) -> LoginAdapter | None:
    """Return a fresh adapter for a flow that speaks `protocol`, None when no logins are read from it."""
    make = _MAKERS.get(protocol)
    return None if make is None else make(context)


__all__ = [
    "LOGIN_PROTOCOLS",
    "READ_FOR_LOGINS",
    "LeakFilter",
    "LoginAdapter",
    "LoginContext",
    "LoginProtocol",
    "LoginSettings",
    "SecretTagger",
    "adapter_for",
    "load_leaks",
    "overdue",
]
