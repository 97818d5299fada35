"""Suricata's EVE log: HTTP requests, FTP commands, Kerberos and SMB replies that say how a login ended."""

from typing import Any

from lapwing.events import Outcome
from lapwing.logins.logs.context import LogContext, address, port
from lapwing.logins.logs.contract import LogFormat, Miss, Reading
from lapwing.logins.logs.documents import DocumentLines, decoded, inside, number, text
from lapwing.logins.logs.web import Request, WebLogins
from lapwing.logins.usernames import MAX_USERNAME_CHARS

MAX_FTP_USERS = 4_096  # flows with a user named and no password yet; the oldest is forgotten

_KERBEROS_FAILED = "KDC_ERR_PREAUTH_FAILED"
_SMB_FAILED = {"STATUS_LOGON_FAILURE", "STATUS_WRONG_PASSWORD", "STATUS_NO_SUCH_USER"}
_SMB_LOCKED = {"STATUS_ACCOUNT_LOCKED_OUT", "STATUS_ACCOUNT_DISABLED"}


class EveLines(DocumentLines):
    """Reads one event a line; see LineReader."""

    __slots__ = ("_ftp_users", "_logins")

    def __init__(self, context: LogContext) -> None:
        super().__init__(context)
        self._logins = WebLogins(context)
        self._ftp_users: dict[str, str] = {}

    def take(self, document: dict[str, Any]) -> Reading:
        """See DocumentLines."""
        kind = document.get("event_type")
        if not isinstance(kind, str) or "src_ip" not in document:
            return Miss.FOREIGN
        record = inside(document, kind)
        if kind not in ("http", "ftp", "krb5", "smb") or not record:
            return Miss.OTHER
        ts_ns = self._clock.any(document.get("timestamp"))
        if ts_ns is None:
            return Miss.NO_TIME
        client_ip = address(text(document, "src_ip"))
        if client_ip is None:
            return Miss.NO_ADDRESS
        if kind == "http":
            return self._http(record, ts_ns, client_ip, document)
        if kind == "ftp":
            return self._ftp(record, ts_ns, client_ip, document)
        said = _kerberos(record) if kind == "krb5" else _smb(record)
        if said is None:
            return Miss.OTHER
        return self._login(kind, ts_ns, client_ip, document, *said)

    def _http(self, record: dict[str, Any], ts_ns: int, client_ip: str, document: dict[str, Any]) -> Reading:
        method, status = text(record, "http_method"), number(record, "status")
        if not method or status is None:
            return Miss.OTHER
        request = Request(
            ts_ns,
            client_ip,
            method,
            text(record, "url"),
            status,
            user_agent=text(record, "http_user_agent") or None,
            forwarded=text(record, "xff"),
            port=port(text(document, "src_port")),
        )
        return self._logins.read(request)

    def _ftp(self, record: dict[str, Any], ts_ns: int, client_ip: str, document: dict[str, Any]) -> Reading:
        flow, command = text(document, "flow_id"), text(record, "command").upper()
        if command == "USER":
            self._name(flow, text(record, "command_data"))
            return Miss.OTHER
        codes = record.get("completion_code")
        if command != "PASS" or not isinstance(codes, list):
            return Miss.OTHER
        name = self._ftp_users.pop(flow, "")
        outcome = Outcome.UNKNOWN
        if "230" in codes:
            outcome = Outcome.SUCCEEDED
        elif "530" in codes:
            outcome = Outcome.FAILED
        return self._login("ftp", ts_ns, client_ip, document, name, outcome, text(record, "command_data"))

    def _name(self, flow: str, name: str) -> None:
        """Keep a user until the password comes; a later one of the same flow takes the place of the one before."""
        if not flow:  # nothing would tell whose password the next one is
            return
        before = self._ftp_users.pop(flow, None)
        if before is None and len(self._ftp_users) >= MAX_FTP_USERS:
            del self._ftp_users[next(iter(self._ftp_users))]
        self._ftp_users[flow] = name[:MAX_USERNAME_CHARS]

    def _login(
        self,
        service: str,
        ts_ns: int,
        client_ip: str,
        document: dict[str, Any],
        name: str,
        outcome: Outcome,
        secret: str = "",
    ) -> Reading:
        return self._context.login(
            ts_ns,
            "kerberos" if service == "krb5" else service,
            {"krb5": "kerberos", "smb": "ntlm", "ftp": "plain"}[service],
            client_ip,
            outcome,
            "suricata",
            username=name or None,
            client_port=port(text(document, "src_port")),
            server_ip=address(text(document, "dest_ip")),
            secret=secret or None,
        )


def _kerberos(record: dict[str, Any]) -> tuple[str, Outcome] | None:
    kind = text(record, "msg_type")
    if kind == "KRB_AS_REP":
        return text(record, "cname"), Outcome.SUCCEEDED
    failed = kind == "KRB_ERROR" and text(record, "error_code") == _KERBEROS_FAILED
    return (text(record, "cname"), Outcome.FAILED) if failed else None


def _smb(record: dict[str, Any]) -> tuple[str, Outcome] | None:
    name = text(inside(record, "ntlmssp"), "user")
    status = text(record, "status")
    if text(record, "command") != "SMB2_COMMAND_SESSION_SETUP" or not name:
        return None
    if status in _SMB_FAILED:
        return name, Outcome.FAILED
    if status in _SMB_LOCKED:
        return name, Outcome.LOCKED
    return (name, Outcome.SUCCEEDED) if status == "STATUS_SUCCESS" else None


def _recognises(line: str) -> bool:
    document = decoded(line)
    return document is not None and {"event_type", "timestamp", "src_ip"} <= document.keys()


EVE = LogFormat("eve", "Suricata's EVE log", _recognises, EveLines)
