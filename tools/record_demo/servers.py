"""The daemons: their configuration, written fresh for each recording, and their start and end.

nginx in front of `webapp.py`, vsftpd, exim4 with AUTH, OpenSSH.
None of the first three uses TLS: the capture is there to show what a login looks like.
They run in mount and process namespaces of their own (`servers.sh`),
so the host's accounts, logs and services are left alone.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .network import FTP_V4, SERVERS, SMTP_V4, SSH_V4, WEB_V4, WEB_V6, inside

_HERE = Path(__file__).parent
_START_TIMEOUT_S = 20.0  # a daemon that does not answer by then has failed to start
_FIRST_UID = 3000

_NGINX = """
user www-data; worker_processes 1; daemon off; pid @conf@/nginx.pid; error_log @conf@/truth/nginx.error.log;
events { worker_connections 512; }
http {
  access_log off; server_tokens off; default_type text/html;
  types { text/html html; text/css css; }
  client_body_temp_path @conf@/tmp; proxy_temp_path @conf@/tmp; fastcgi_temp_path @conf@/tmp;
  uwsgi_temp_path @conf@/tmp; scgi_temp_path @conf@/tmp;
  server {
    listen @web4@:80; listen [@web6@]:80; server_name shop.example.com;
    root @conf@/site;
    location / { try_files $uri $uri.html $uri/index.html @app; }
    location @app { proxy_pass http://127.0.0.1:8080; proxy_http_version 1.1;
      proxy_set_header X-Real-IP $remote_addr; proxy_set_header Host $host; proxy_set_header Connection ""; }
  }
}
"""

_VSFTPD = """
listen=YES
listen_ipv6=NO
background=NO
listen_address=@ftp@
anonymous_enable=NO
local_enable=YES
write_enable=YES
chroot_local_user=YES
allow_writeable_chroot=YES
secure_chroot_dir=/run/vsftpd/empty
pam_service_name=vsftpd
xferlog_enable=YES
xferlog_std_format=NO
vsftpd_log_file=@conf@/truth/vsftpd.log
ftpd_banner=files.example.com
delay_failed_login=1
max_per_ip=0
seccomp_sandbox=NO
"""

_SSHD = """
ListenAddress @ssh@
Port 22
HostKey @conf@/host_key
PidFile @conf@/sshd.pid
UsePAM no
PasswordAuthentication yes
KbdInteractiveAuthentication no
PubkeyAuthentication yes
PermitRootLogin no
UseDNS no
LogLevel VERBOSE
MaxStartups 200
PrintMotd no
PrintLastLog no
Subsystem sftp internal-sftp
"""

_EXIM = """
primary_hostname = mail.example.com
local_interfaces = @smtp@
smtp_banner = mail.example.com ESMTP
tls_advertise_hosts =
auth_advertise_hosts = *
host_lookup =
rfc1413_query_timeout = 0s
log_file_path = @conf@/truth/exim-%s.log
log_selector = +smtp_connection
acl_smtp_rcpt = check_rcpt
acl_smtp_data = accept
begin acl
check_rcpt:
  accept authenticated = *
  deny message = sign in first
begin routers
away:
  driver = redirect
  data = :blackhole:
begin transports
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_set_id = $auth2
  server_condition = ${if eq{$auth3}{${lookup{$auth2}lsearch{/etc/exim4/users}{$value}fail}}}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_set_id = $auth1
  server_condition = ${if eq{$auth2}{${lookup{$auth1}lsearch{/etc/exim4/users}{$value}fail}}}
"""

_PAM = "auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_permit.so\n"

_SITE = {
    "index.html": "<p>Lamps, lanterns and wicks. <a href=/lamps>Lamps</a> <a href=/login>Sign in</a></p>",
    "lamps.html": "<ul><li><a href=/lamps/heron>Heron</a></li><li><a href=/lamps/plover>Plover</a></li></ul>",
    "lamps/heron.html": "<p>A reading lamp with a long neck. 49.00</p>",
    "lamps/plover.html": "<p>A small lamp that runs about. 29.00</p>",
    "delivery.html": "<p>Two working days.</p>",
    "login-help.html": "<p>Forgot your password? Write to help@example.com.</p>",
}
_PAGE = "<!doctype html><title>{title}</title><link rel=stylesheet href=/style.css><h1>{title}</h1>{body}\n"
_STYLE = "body{font:16px/1.5 serif;margin:2em auto;max-width:40em}.error{color:#a00}\n"


def _fill(text: str, values: Mapping[str, object]) -> str:
    """Put values in place of `@name@`; braces and dollars belong to the daemons' own languages."""
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _hashes(passwords: list[str]) -> list[str]:
    command = ["openssl", "passwd", "-6", "-stdin"]
    done = subprocess.run(command, input="\n".join(passwords), capture_output=True, text=True, check=True)
    return done.stdout.split()


def _accounts(conf: Path, shell_users: Mapping[str, str]) -> None:
    """Account files with the host's service users (never their hashes) and the recording's own people."""
    service = [line for line in Path("/etc/passwd").read_text().splitlines() if int(line.split(":")[2]) < 1000]
    people = list(enumerate(shell_users, _FIRST_UID))
    passwd = service + [f"{name}:x:{uid}:{uid}::/home/{name}:/bin/sh" for uid, name in people]
    groups = Path("/etc/group").read_text().splitlines() + [f"{name}:x:{uid}:" for uid, name in people]
    shadow = [f"{line.split(':')[0]}:*:20000:0:99999:7:::" for line in service]
    hashes = _hashes(list(shell_users.values()))
    shadow += [f"{name}:{hashed}:20000:0:99999:7:::" for name, hashed in zip(shell_users, hashes, strict=True)]
    _write(conf / "passwd", "\n".join(passwd) + "\n")
    _write(conf / "group", "\n".join(groups) + "\n")
    _write(conf / "shadow", "\n".join(shadow) + "\n", 0o600)


def configure(conf: Path, *, web: Mapping[str, str], mail: Mapping[str, str], shell: Mapping[str, str]) -> None:
    """Write everything the daemons read. `web`, `mail` and `shell` map account names to passwords."""
    values = {"conf": conf, "web4": WEB_V4, "web6": WEB_V6, "ftp": FTP_V4, "smtp": SMTP_V4, "ssh": SSH_V4}
    _accounts(conf, shell)
    _write(conf / "users.json", json.dumps(dict(web)))
    _write(conf / "nginx.conf", _fill(_NGINX, values))
    _write(conf / "vsftpd.conf", _fill(_VSFTPD, values), 0o600)
    _write(conf / "sshd_config", _fill(_SSHD, values))
    _write(conf / "pam.d/vsftpd", _PAM)
    _write(conf / "exim4/exim4.conf", _fill(_EXIM, values))
    _write(conf / "exim4/users", "".join(f"{name}: {password}\n" for name, password in mail.items()))
    for name, body in _SITE.items():
        title = name.removesuffix(".html").rpartition("/")[2].replace("index", "lanterns").title()
        _write(conf / "site" / name, _PAGE.format(title=title, body=body))
    _write(conf / "site/style.css", _STYLE)
    for folder in ("truth", "tmp"):
        (conf / folder).mkdir(exist_ok=True)
        (conf / folder).chmod(0o777)
    key = [
        "ssh-keygen",
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-C",
        "shell.example.com",
        "-f",
        str(conf / "host_key"),
    ]
    subprocess.run(key, check=True)


@dataclass
class Servers:
    """The running daemons. A context manager; entering waits until every one of them answers."""

    conf: Path
    _process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return inside(SERVERS, self._start)

    def _start(self) -> Self:
        house = [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ]
        script = ["sh", str(_HERE / "servers.sh"), str(self.conf), sys.executable, str(_HERE / "webapp.py")]
        with (self.conf / "truth/servers.log").open("wb") as log:
            self._process = subprocess.Popen([*house, *script], stdout=log, stderr=log)
        try:
            for endpoint in ((WEB_V4, 80), ("127.0.0.1", 8080), (FTP_V4, 21), (SMTP_V4, 25), (SSH_V4, 22)):
                self._wait_for(endpoint)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)  # process 1 of the namespace goes with it, and all the rest
            self._process.wait()
            self._process = None

    def _wait_for(self, endpoint: tuple[str, int]) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                socket.create_connection(endpoint, timeout=1).close()
            except OSError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"nothing listens on {endpoint}; see {self.conf}/truth") from None
                time.sleep(0.1)
            else:
                return
