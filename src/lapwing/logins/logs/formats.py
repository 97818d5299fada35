"""The kinds of logs, and which of them a log is."""

from collections.abc import Sequence

from lapwing.logins.logs.access import ACCESS
from lapwing.logins.logs.accessjson import ACCESS_JSON, ENVOY, TRAEFIK
from lapwing.logins.logs.auth0 import AUTH0
from lapwing.logins.logs.caddy import CADDY
from lapwing.logins.logs.contract import LogFormat
from lapwing.logins.logs.entra import ENTRA
from lapwing.logins.logs.haproxy import HAPROXY
from lapwing.logins.logs.journal import JOURNAL
from lapwing.logins.logs.keycloak import KEYCLOAK
from lapwing.logins.logs.okta import OKTA
from lapwing.logins.logs.openvpn import OPENVPN
from lapwing.logins.logs.own import OWN
from lapwing.logins.logs.suricata import EVE
from lapwing.logins.logs.syslog import SYSLOG
from lapwing.logins.logs.vsftpd import VSFTPD
from lapwing.logins.logs.wellknown import WELL_KNOWN
from lapwing.logins.logs.windows import WINDOWS
from lapwing.logins.logs.zeek import ZEEK

SAMPLE_LINES = 200  # from the beginning of a log that are looked at to tell what it is

# From the particular to the general: of kinds that recognise equally many lines the first is taken.
LOG_FORMATS: tuple[LogFormat, ...] = (
    OWN,
    JOURNAL,
    WINDOWS,
    OKTA,
    ENTRA,
    AUTH0,
    KEYCLOAK,
    ZEEK,
    EVE,
    CADDY,
    TRAEFIK,
    ENVOY,
    VSFTPD,
    OPENVPN,
    HAPROXY,
    ACCESS,
    SYSLOG,
    WELL_KNOWN,
    ACCESS_JSON,
)


def recognise(lines: Sequence[str], formats: Sequence[LogFormat] = LOG_FORMATS) -> LogFormat | None:
    """Return the format that most of the first lines are of, None when no line is of any."""
    sample = [line for line in lines[:SAMPLE_LINES] if line.strip()]
    best: LogFormat | None = None
    most = 0
    for log_format in formats:
        count = sum(map(log_format.recognises, sample))
        if count > most:
            best, most = log_format, count
    return best


def format_named(name: str, formats: Sequence[LogFormat] = LOG_FORMATS) -> LogFormat | None:
    """Return the format of that name."""
    return next((one for one in formats if one.name == name), None)
