"""A line or two of every kind of log, and what they tell."""

import json
from typing import Any


def _json(**fields: Any) -> str:
    return json.dumps(fields)


AGENT = "Mozilla/5.0"
CADDY_REQUEST = {
    "remote_ip": "10.0.0.1",
    "remote_port": "5000",
    "client_ip": "192.0.2.7",
    "method": "POST",
    "uri": "/login?next=/",
    "headers": {"User-Agent": [AGENT]},
}
WINDOWS_4625 = {
    "TargetUserName": "Alice",
    "IpAddress": "192.0.2.7",
    "IpPort": "50000",
    "LogonType": "10",
    "Status": "0xc000006d",
    "SubStatus": "0xc000006a",
    "AuthenticationPackageName": "Negotiate",
}
OKTA = {
    "actor": {"alternateId": "alice@example.com"},
    "client": {"ipAddress": "192.0.2.7", "userAgent": {"rawUserAgent": AGENT}},
    "eventType": "user.session.start",
    "published": "2026-05-01T10:00:00.000Z",
}
EVE = {"timestamp": "2026-05-01T10:00:00.000000+0000", "flow_id": 7, "src_ip": "192.0.2.7", "src_port": 5000}

# Format, lines, and what `reading.told` says of their logins.
SAMPLES: tuple[tuple[str, list[str], list[str]], ...] = (
    (
        "syslog",
        [
            "May  1 10:00:00 host sshd[7]: Failed password for root from 192.0.2.7 port 5000 ssh2",
            "May  1 10:00:01 host sshd[7]: Accepted publickey for git from 2001:db8::7 port 5001 ssh2: RSA SHA256:abc",
            "<38>May  1 10:00:02 host sshd-session[8]: Partial password for bob from 192.0.2.8 port 5002 ssh2",
        ],
        [
            "failed 192.0.2.7 root ssh password",
            "succeeded 2001:db8::7 git ssh publickey",
            "challenged 192.0.2.8 bob ssh password",
        ],
    ),
    (
        "syslog",
        [
            "2026-05-01T10:00:00.123456+02:00 host sshd[7]: Failed none for invalid user Admin from 192.0.2.7 "
            "port 5 ssh2"
        ],
        ["failed 192.0.2.7 admin ssh none"],
    ),
    (
        "syslog",
        ["<38>1 2026-05-01T10:00:00Z host sshd 7 - - Accepted password for bob from 192.0.2.7 port 5000 ssh2"],
        ["succeeded 192.0.2.7 bob ssh password"],
    ),
    (
        "syslog",
        [
            "May  1 10:00:00 host webui[7]: pam_unix(webui:auth): authentication failure; logname= uid=0 euid=0 tty= "
            "ruser= rhost=192.0.2.7  user=bob"
        ],
        ["failed 192.0.2.7 bob webui pam"],
    ),
    (
        "syslog",
        [
            "May  1 10:00:00 mail dovecot: imap-login: Disconnected (auth failed, 3 attempts in 9 secs): "
            "user=<bob@example.com>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, TLS, session=<x>",
            "May  1 10:00:01 mail dovecot: pop3-login: Login: user=<eve>, method=CRAM-MD5, rip=192.0.2.8, "
            "lip=192.0.2.1, mpid=7, TLS, session=<y>",
        ],
        ["failed 192.0.2.7 bob@example.com imap plain", "succeeded 192.0.2.8 eve pop3 cram-md5"],
    ),
    (
        "syslog",
        [  # Dovecot's own log, without a host
            "May 01 10:00:00 imap-login: Info: Login aborted: Connection closed (auth failed, 3 attempts in 9 secs) "
            "(auth_failed): user=<bob>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, TLS, session=<x>",
            "May 01 10:00:01 pop3-login: Info: Login: user=<eve>, method=CRAM-MD5, rip=192.0.2.8, lip=192.0.2.1, "
            "mpid=7, TLS, session=<y>",
        ],
        ["failed 192.0.2.7 bob imap plain", "succeeded 192.0.2.8 eve pop3 cram-md5"],
    ),
    (
        "syslog",
        ["May  1 10:00:00.123456 host sshd[7]: Failed password for root from 192.0.2.7 port 22 ssh2"],
        ["failed 192.0.2.7 root ssh password"],
    ),
    (
        "syslog",
        [
            "May  1 10:00:00 lb haproxy[7]: 192.0.2.7:33317 [01/May/2026:10:00:00.655] https~ app/one 10/0/30/69/109 "
            '401 2750 - - ---- 1/1/1/1/0 0/0 {app.example.com} "POST /login HTTP/1.1" 0/0/0/0/0 '
            "app.example.com/TLSv1.3/TLS_AES_256_GCM_SHA384"
        ],
        ["failed 192.0.2.7 - http form"],
    ),
    (
        "access-json",
        [
            '{"remote_addr": "192.0.2.7", "remote_user": "bob", "request": "GET /admin HTTP/1.1", "status": "401", '
            '"time_iso8601": "2026-05-01T10:00:00Z"}'
        ],
        ["failed 192.0.2.7 bob http basic"],
    ),
    (
        "windows",
        [
            _json(  # EvtxECmd
                EventId=4625,
                TimeCreated="2026-05-01T10:00:00.1064341+00:00",
                RemoteHost="WS (192.0.2.7)",
                Payload=_json(EventData={"Data": [{"@Name": k, "#text": v} for k, v in WINDOWS_4625.items()]}),
            )
        ],
        ["failed 192.0.2.7 alice windows negotiate"],
    ),
    (
        "syslog",
        [
            "May  1 10:00:00 mail postfix/smtpd[7]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: "
            "UGFzc3dvcmQ6, sasl_username=bob@example.com",
            "May  1 10:00:01 mail postfix/submission/smtpd[7]: 4A1B2C: client=host.example.com[192.0.2.8], "
            "sasl_method=PLAIN, sasl_username=eve",
        ],
        ["failed 192.0.2.7 bob@example.com smtp login", "succeeded 192.0.2.8 eve smtp plain"],
    ),
    (
        "syslog",
        [
            'May  1 10:00:00 host nginx[7]: 192.0.2.7 - - [01/May/2026:10:00:00 +0000] "POST /login HTTP/1.1" 401 5 '
            '"-" "curl/8"'
        ],
        ["failed 192.0.2.7 - http form"],
    ),
    (
        "syslog",
        [
            "May  1 10:00:00 lb haproxy[7]: 192.0.2.7:5000 [01/May/2026:10:00:00.655] web app/one 10/0/30/69/109 401 "
            '2750 - - ---- 1/1/1/1/0 0/0 {app.example.com} {} "POST /login HTTP/1.1"'
        ],
        ["failed 192.0.2.7 - http form"],
    ),
    (
        "haproxy",
        [
            "192.0.2.7:5000 [01/May/2026:10:00:00.655] web~ app/one 10/0/30/69/109 403 2750 - - ---- 1/1/1/1/0 0/0 "
            '"POST /login HTTP/1.1"'
        ],
        ["failed 192.0.2.7 - http form"],
    ),
    (
        "journal",
        [
            _json(
                __REALTIME_TIMESTAMP="1777629600000000",
                SYSLOG_IDENTIFIER="sshd",
                _PID="7",
                MESSAGE="Failed password for invalid user eve from 192.0.2.7 port 5000 ssh2",
            )
        ],
        ["failed 192.0.2.7 eve ssh password"],
    ),
    (
        "combined",
        [
            '192.0.2.7 - - [01/May/2026:10:00:00 +0000] "POST /login HTTP/1.1" 401 12 "-" "curl/8"',
            '2001:db8::7 - bob smith [01/May/2026:10:00:01 +0000] "GET /admin/ HTTP/2.0" 401 12 "-" "curl/8" "-"',
            '192.0.2.9 - bob [01/May/2026:10:00:02 +0000] "GET /admin/ HTTP/1.1" 200 12',
            '192.0.2.9 - bob [01/May/2026:10:00:03 +0000] "GET /admin/x HTTP/1.1" 200 12',
            'shop.example.com:443 192.0.2.7 - - [01/May/2026:10:00:04 +0000] "POST /login HTTP/1.1" 200 9 "-" "-"',
        ],
        [
            "failed 192.0.2.7 - http form",
            "failed 2001:db8::7 bob smith http basic",
            "succeeded 192.0.2.9 bob http basic",
            "succeeded 192.0.2.7 - http form",
        ],
    ),
    (
        "access-json",
        [
            _json(
                time_iso8601="2026-05-01T10:00:00+00:00",
                remote_addr="192.0.2.7",
                remote_user="",
                request="POST /api/login HTTP/1.1",
                status="401",
                http_user_agent=AGENT,
            )
        ],
        ["failed 192.0.2.7 - http form"],
    ),
    (
        "caddy",
        [_json(level="info", ts=1777629600.5, logger="http.log.access", request=CADDY_REQUEST, user_id="", status=401)],
        ["failed 192.0.2.7 - http form"],
    ),
    (
        "traefik",
        [
            _json(
                ClientAddr="192.0.2.7:5000",
                ClientHost="192.0.2.7",
                ClientUsername="-",
                DownstreamStatus=401,
                RequestMethod="POST",
                RequestPath="/login",
                StartUTC="2026-05-01T10:00:00.123456789Z",
            )
        ],
        ["failed 192.0.2.7 - http form"],
    ),
    (
        "envoy",
        [
            _json(
                start_time="2026-05-01T10:00:00.123Z",
                method="POST",
                path="/login",
                response_code=401,
                downstream_remote_address="192.0.2.7:5000",
                user_agent=AGENT,
            )
        ],
        ["failed 192.0.2.7 - http form"],
    ),
    (
        "vsftpd",
        [
            'Fri May  1 10:00:00 2026 [pid 7] [bob] FAIL LOGIN: Client "::ffff:192.0.2.7"',
            'Fri May  1 10:00:01 2026 [pid 7] [ftp] OK LOGIN: Client "192.0.2.8", anon password "me@example.com"',
        ],
        ["failed 192.0.2.7 bob ftp plain", "succeeded 192.0.2.8 ftp ftp plain"],
    ),
    (
        "openvpn",
        [
            "2026-05-01 10:00:00 192.0.2.7:5000 TLS Auth Error: Auth Username/Password verification failed for peer",
            "2026-05-01 10:00:01 192.0.2.8:5000 [bob] Peer Connection Initiated with [AF_INET]192.0.2.8:5000",
        ],
        ["failed 192.0.2.7 - openvpn password", "succeeded 192.0.2.8 bob openvpn certificate"],
    ),
    (
        "windows",
        [
            _json(**{"@timestamp": "2026-05-01T10:00:00Z", "winlog": {"event_id": 4625, "event_data": WINDOWS_4625}}),
            _json(
                Event={
                    "System": {
                        "EventID": 4624,
                        "TimeCreated": {"#attributes": {"SystemTime": "2026-05-01T10:00:01.1234567Z"}},
                    },
                    "EventData": WINDOWS_4625 | {"LogonType": 3, "AuthenticationPackageName": "NTLM"},
                }
            ),
            _json(
                EventID=4771,
                EventTime="2026-05-01 10:00:02",
                TargetUserName="bob",
                IpAddress="::ffff:192.0.2.8",
                Status="0x18",
            ),
        ],
        [
            "failed 192.0.2.7 alice windows negotiate",
            "succeeded 192.0.2.7 alice windows ntlm",
            "failed 192.0.2.8 bob windows kerberos",
        ],
    ),
    (
        "okta",
        [
            _json(**OKTA, outcome={"result": "FAILURE", "reason": "INVALID_CREDENTIALS"}),
            _json(**OKTA, outcome={"result": "SUCCESS"}),
            _json(**OKTA, outcome={"result": "FAILURE", "reason": "LOCKED_OUT"}),
        ],
        [
            "failed 192.0.2.7 alice@example.com okta password",
            "succeeded 192.0.2.7 alice@example.com okta password",
            "locked 192.0.2.7 alice@example.com okta password",
        ],
    ),
    (
        "entra",
        [
            _json(
                createdDateTime="2026-05-01T10:00:00Z",
                userPrincipalName="Alice@example.com",
                ipAddress="192.0.2.7",
                status={"errorCode": 50126},
            ),
            _json(
                time="2026-05-01T10:00:01Z",
                category="SignInLogs",
                callerIpAddress="192.0.2.8",
                resultType="0",
                properties={"userPrincipalName": "bob@example.com", "createdDateTime": "2026-05-01T10:00:01Z"},
            ),
        ],
        ["failed 192.0.2.7 alice@example.com entra password", "succeeded 192.0.2.8 bob@example.com entra password"],
    ),
    (
        "auth0",
        [
            _json(date="2026-05-01T10:00:00Z", type="fp", ip="192.0.2.7", user_name="bob@example.com", log_id="1"),
            _json(log_id="2", data={"date": "2026-05-01T10:00:01Z", "type": "s", "ip": "192.0.2.8", "user_name": "e"}),
        ],
        ["failed 192.0.2.7 bob@example.com auth0 password", "succeeded 192.0.2.8 e auth0 password"],
    ),
    (
        "keycloak",
        [
            "2026-05-01 10:00:00,123 WARN  [org.keycloak.events] (executor-thread-7) type=LOGIN_ERROR, realmId=main, "
            "clientId=shop, userId=null, ipAddress=192.0.2.7, error=user_not_found, auth_method=openid-connect, "
            "username=bob",
            _json(
                time=1777629600123,
                type="LOGIN",
                realmId="main",
                ipAddress="192.0.2.8",
                details={"username": "eve"},
            ),
        ],
        ["failed 192.0.2.7 bob keycloak form", "succeeded 192.0.2.8 eve keycloak form"],
    ),
    (
        "zeek",
        [
            _json(
                **{"ts": 1777629600.5, "uid": "C1", "id.orig_h": "192.0.2.7", "auth_success": False, "auth_attempts": 4}
            ),
            _json(**{"ts": 1777629601.5, "uid": "C2", "id.orig_h": "192.0.2.8", "username": "bob", "success": True}),
            _json(
                **{
                    "ts": 1777629602.5,
                    "uid": "C3",
                    "id.orig_h": "192.0.2.9",
                    "method": "POST",
                    "uri": "/login",
                    "status_code": 401,
                }
            ),
        ],
        ["failed 192.0.2.7 - ssh unknown", "succeeded 192.0.2.8 bob ntlm ntlm", "failed 192.0.2.9 - http form"],
    ),
    (
        "eve",
        [
            _json(**EVE, event_type="ftp", ftp={"command": "USER", "command_data": "bob"}),
            _json(
                **EVE,
                event_type="ftp",
                ftp={"command": "PASS", "command_data": "correct horse", "completion_code": ["530"]},
            ),
            _json(**EVE, event_type="http", http={"http_method": "POST", "url": "/login", "status": 401}),
        ],
        ["failed 192.0.2.7 bob ftp plain", "failed 192.0.2.7 - http form"],
    ),
    (
        "lapwing",
        [
            _json(
                event_type="auth.resolved",
                ts_ns=1777629600000000000,
                protocol="shop",
                mechanism="form",
                endpoint="POST /login",
                client_ip="192.0.2.7",
                username="Bob",
                outcome="failed",
                evidence="application",
                confidence=1.0,
            )
        ],
        ["failed 192.0.2.7 bob shop form"],
    ),
    (
        "well-known",
        [
            "2026/05/01 10:00:00 ...ers/web/auth/auth.go:200:SignInPost() [I] Failed authentication attempt for bob "
            "from 192.0.2.7:39522: user does not exist [uid: 0, name: bob, keyid: 0]",
            "2026-05-01  5:13:11 8 [Warning] Access denied for user 'shop'@'192.0.2.8' (using password: YES)",
        ],
        ["failed 192.0.2.7 bob gitea form", "failed 192.0.2.8 shop mysql mysql"],
    ),
)
