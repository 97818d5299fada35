"""Lines of widespread services that say one thing in one way: a table of patterns."""

from collections.abc import Iterable

from lapwing.events import AuthResolved, Outcome
from lapwing.logins.logs.context import LogContext
from lapwing.logins.logs.contract import Reading
from lapwing.logins.logs.patterns import Pattern, PatternReader, pattern_format


def _failed(name: str, line: str, mechanism: str = "form", confidence: float = 1.0) -> Pattern:
    return Pattern(name=name, outcome=Outcome.FAILED, line=line, mechanism=mechanism, confidence=confidence)


def _documents(name: str, outcome: Outcome, where: dict[str, str | bool | int], address: str, user: str) -> Pattern:
    return Pattern(name=name, outcome=outcome, where=where, address=address, user=user, mechanism="form")


_NGINX = '{time} [error] {number}#{number}: *{number} user "{user}"'
_BEHIND = ", client: {address}, server: {any}"
_APACHE = "[{time}] [{word}] [{any}] [client {address}] "

PATTERNS: tuple[Pattern, ...] = (
    # Basic credentials refused, as the servers' error logs tell it.
    _failed("http", f"{_NGINX} was not found in {{any}}{_BEHIND}", "basic"),
    _failed("http", f"{_NGINX}: password mismatch{_BEHIND}", "basic"),
    _failed("http", f"{_APACHE}AH01617: user {{user}}: authentication failure for {{any}}", "basic"),
    _failed("http", f"{_APACHE}AH01618: user {{user}} not found: {{any}}", "basic"),
    _failed(
        "baikal", f"{_APACHE}AH01071: Got error 'PHP message: user {{user}} authentication failure for Baikal'{{any}}"
    ),
    _failed(
        "bookstack",
        '{time} [error] {number}#{number}: *{number} FastCGI sent in stderr: "PHP message: Failed login for {user}"'
        " while reading response header from upstream, client: {address}, server: {any}",
    ),
    _failed(
        "mail",
        '{time} [info] {number}#{number}: *{number} client login failed: "{any}" while in http auth state,'
        ' client: {address}, server: {any}, login: "{user}"',
        "plain",
    ),
    # Databases.
    _failed(
        "mysql",
        "{time} {number} [{word}] Access denied for user '{user}'@'{address}' (using password: {word})",
        "mysql",
    ),
    _failed(
        "mysql",
        "{time} {number} [{word}] [{word}] [{word}] Access denied for user '{user}'@'{address}'"
        " (using password: {word})",
        "mysql",
    ),
    # File transfer.
    _failed(
        "ftp",
        "{time} {word} proftpd[{number}] {word} ({word}[{address}]): USER {user} (Login failed): {any}",
        "plain",
    ),
    _failed("ftp", "{word} ({word}[{address}]): USER {user} (Login failed): {any}", "plain"),
    _failed("ftp", "({word}@{address}) [WARNING] Authentication failed for user [{user}]", "plain"),
    # Applications.
    _failed("adguard-home", "{time} [error] POST {address} /control/login: invalid username or password"),
    _failed(
        "authelia",
        'time="{time}" level=error msg="Unsuccessful 1FA authentication attempt by user \'{user}\'{any}"'
        " method=POST path=/api/firstfactor remote_ip={address} {any}",
    ),
    _failed(
        "authelia",
        'time="{time}" level=error msg="Unsuccessful 1FA authentication attempt by user \'{user}\'{any}"'
        " method=POST path=/api/firstfactor remote_ip={address}",
    ),
    _failed(
        "authelia",
        'time="{time}" level=error msg="Unsuccessful 1FA authentication attempt by user \'{user}\'"'
        " method=POST path=/api/firstfactor remote_ip={address} {any}",
    ),
    _failed(
        "adguard-home", "{time} [error] POST {word} /control/login: from ip {address}: invalid username or password"
    ),
    _failed(
        "asterisk",
        '{any} SecurityEvent="InvalidAccountID",EventTV="{time}",Severity={any},AccountID="{user}",SessionID={any},'
        'RemoteAddress="{word}/{word}/{address}/{port}"',
        "sip",
    ),
    *(
        _failed(
            "authelia",
            f'time="{{time}}" level=error msg="Unsuccessful {factor} authentication attempt by user'
            " '{user}'{any}\" method=POST path=/api/secondfactor/{word} remote_ip={address} {any}",
            "second-factor",
        )
        for factor in ("TOTP", "Duo", "U2F")
    ),
    _failed(
        "authelia",
        'time="{time}" level=error msg="Error occurred getting details for user with username input \'{user}\''
        ' which usually indicates they do not exist" error={any} method=POST path=/api/firstfactor'
        " remote_ip={address} {any}",
    ),
    _failed("cas", "{time} INFO [{word}] - {any}|CAS|{any}|AUTHENTICATION_FAILED|{user}|{address}|{word}"),
    _failed("cpanel", '[{time}] info [{word}] {address} - {user} "{any}" FAILED LOGIN {any}'),
    _failed(
        "firefly-iii",
        '[{time}] {word}: AUDIT: Login failed. Attempt for user "{user}" failed. ({address} -> {any})',
    ),
    _failed(
        "firefly-iii",
        "[{time}] {word}: AUDIT: MFA failure count is set to {number}. ({address} ({user}) -> {any})",
        "second-factor",
    ),
    Pattern(
        name="firefly-iii",
        outcome=Outcome.UNKNOWN,
        line='[{time}] {word}: AUDIT: User is trying to login using "{user}" ({address} -> {any})',
        mechanism="form",
        confidence=0.0,
    ),
    _failed("gitea", "{time} {any} Failed authentication attempt for {user} from {address}: {any}"),
    _failed(
        "grafana",
        'logger=context {any} t={time} level=error msg="Invalid username or password" {any}'
        " remote_addr={address} {any}",
    ),
    _failed("grafana", "logger=context {any} t={time} {any}[password-auth.failed]{any}remote_addr={address} {any}"),
    _failed("jellyfin", "{any} Authentication request for {user} has been denied (IP: {address})."),
    _failed("joplin", '{time}: [error] App: 403: POST /api/sessions: {address}: {any}: {{"email":"{user}"}}'),
    _failed("litespeed", "{time} [NOTICE] {any} Failed Login Attempt - username:{user} ip:{address} url:{any}"),
    _failed("odoo", "{time} {number} INFO {word} {word} Login failed for db:{word} login:{user} from {address}"),
    _failed("ombi", "{time} [Warning] Failed login attempt by IP: {address}"),
    _failed("overseerr", '{time} [{any}: Failed sign-in attempt {any} {{"ip":"{address}","email":"{user}"}}'),
    _failed(
        "jellyseerr",
        '{time} [{any}: Failed login attempt {any} {{"account":{{"ip":"{address}","email":"{user}",'
        '"password":{any}}}}}',
    ),
    _failed(
        "miniflux",
        '{any}time={time} level={word} msg="Incorrect username or password" authentication_failed=true'
        " client_ip={address} user_agent={any} username={user} error={any}",
    ),
    _failed(
        "pop3",
        "{time},{word},{number},{word},{address},{user},{number},{number},{number},auth, {word},"
        "{any}AuthFailed:LogonDenied{any}",
        "plain",
    ),
    _failed("servarr", "[Warn] Auth: Auth-Failure ip {address} username '{user}'"),
    _failed(
        "teamspeak", '{time}|{any}|query from {number} {address} attempted to login with account "{user}" and failed!'
    ),
    _failed(
        "vaultwarden",
        "[{time}][{any}][ERROR] Username or password is incorrect. Try again. IP: {address}. Username: {user}.",
    ),
    _failed("vaultwarden", "[{time}][vaultwarden::api::admin][ERROR] Invalid admin token. IP: {address}"),
    _failed(
        "vaultwarden",
        "[{time}][vaultwarden::api::core::two_factor::{word}][ERROR] Invalid TOTP code! Server time: {any} UTC"
        " IP: {address}",
        "second-factor",
    ),
    _failed(
        "vaultwarden",
        "[{time}][vaultwarden::api::core::two_factor::{word}][ERROR] Token is invalid! IP: {address}",
        "second-factor",
    ),
    _failed(
        "fortinet-vpn",
        'date={any} eventtime={time} tz={any} action="ssl-login-fail" {any} remip={address} user="{user}" group={any}',
        "password",
    ),
    _documents(
        "gitlab",
        Outcome.FAILED,
        {"controller": "SessionsController", "action": "create", "status": 0},
        "remote_ip",
        "-",
    ),
    _documents(
        "gitlab",
        Outcome.SUCCEEDED,
        {"controller": "SessionsController", "action": "create", "status": 302},
        "remote_ip",
        "-",
    ),
    _documents(
        "gitlab", Outcome.FAILED, {"controller": "OmniauthCallbacksController", "action": "failure"}, "remote_ip", "-"
    ),
    _documents(
        "gitlab",
        Outcome.CHALLENGED,
        {"controller": "SessionsController", "action": "create", "status": 200},
        "remote_ip",
        "-",
    ),
    *(
        _documents("authelia", Outcome.FAILED, {"path": f"/api/{path}", "level": "error"}, "remote_ip", "-")
        for path in ("firstfactor", "secondfactor/totp", "secondfactor/duo", "secondfactor/u2f/sign")
    ),
    _documents("grafana", Outcome.FAILED, {"msg": "Invalid username or password"}, "remote_addr", "uname"),
    _documents("authentik", Outcome.FAILED, {"event": "invalid_login"}, "client_ip", "identifier"),
    _documents("authentik", Outcome.FAILED, {"action": "login_failed"}, "client_ip", "context.username"),
    _documents("authentik", Outcome.SUCCEEDED, {"action": "login"}, "client_ip", "user.username"),
    _documents(
        "sftpgo",
        Outcome.FAILED,
        {"sender": "connection_failed", "error": "invalid credentials"},
        "client_ip",
        "username",
    ),
    _documents("teleport", Outcome.SUCCEEDED, {"event": "user.login", "success": True}, "addr.remote", "user"),
    _documents("teleport", Outcome.FAILED, {"event": "user.login", "success": False}, "addr.remote", "user"),
    _documents(
        "aws-console",
        Outcome.FAILED,
        {"eventName": "ConsoleLogin", "responseElements.ConsoleLogin": "Failure"},
        "sourceIPAddress",
        "userIdentity.userName",
    ),
    _documents(
        "aws-console",
        Outcome.SUCCEEDED,
        {"eventName": "ConsoleLogin", "responseElements.ConsoleLogin": "Success"},
        "sourceIPAddress",
        "userIdentity.userName,userIdentity.arn",
    ),
)
WELL_KNOWN = pattern_format("well-known", "single lines of widespread services", PATTERNS)


class WellKnownMessages:
    """Reads messages of programs that have no reader of their own in a system log; see MessageReader."""

    __slots__ = ("_reader",)

    def __init__(self, context: LogContext) -> None:
        self._reader = PatternReader(context, [pattern for pattern in PATTERNS if pattern.line is not None])

    def read(self, ts_ns: int, _pid: str, message: str) -> Reading:
        """See MessageReader."""
        return self._reader.message(ts_ns, message)

    def close(self) -> Iterable[AuthResolved]:
        """See MessageReader."""
        return ()
