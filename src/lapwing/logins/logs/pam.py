"""What PAM modules say of logins on behalf of services that are silent themselves."""

import re

from lapwing.events import Outcome
from lapwing.logins.logs.context import LogContext, address
from lapwing.logins.logs.contract import Miss, Reading

SELF_TOLD = frozenset({"sshd", "dovecot"})  # their daemons tell the same login in lines of their own

_FAILURE = re.compile(r"pam_\w+\(([^:)\s]{1,64}):auth\): authentication failure; (.*)")
_PLACE = " rhost="


def read_pam(context: LogContext, ts_ns: int, message: str) -> Reading:
    """Read `pam_unix(service:auth): authentication failure; ... rhost=192.0.2.1  user=root`."""
    match = _FAILURE.fullmatch(message)
    if match is None or match[1] in SELF_TOLD:
        return Miss.OTHER
    fields = f" {match[2]}"
    if fields.count(_PLACE) != 1:  # both ruser in front of it and user behind it are the client's words
        return Miss.AMBIGUOUS if _PLACE in fields else Miss.NO_ADDRESS
    host, _, name = fields.partition(_PLACE)[2].partition(" ")
    client_ip = address(host)
    if client_ip is None:
        return Miss.NO_ADDRESS if host else Miss.OTHER  # somebody at the machine itself
    name = name.strip().removeprefix("user=")
    service = match[1]
    return context.login(ts_ns, service, "pam", client_ip, Outcome.FAILED, "pam: failure", username=name or None)
