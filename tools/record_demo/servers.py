"""The daemons: their configuration, written fresh for each recording, and their start and end.

nginx in front of `webapp.py`, vsftpd, exim4 with AUTH, OpenSSH.
None of the first three uses TLS: the capture is there to show what a login looks like.
They run in mount and process namespaces of their own (`servers.sh`),
so the host's accounts, logs and services are left alone.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from .house import VSFTPD, House, accounts, fill, key, write
from .network import FTP_V4, SMTP_V4, SSH_V4, WEB_V4, WEB_V6

_HERE = Path(__file__).parent

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
anonymous_enable=NO
write_enable=YES
max_per_ip=0
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


def configure(conf: Path, *, web: Mapping[str, str], mail: Mapping[str, str], shell: Mapping[str, str]) -> None:
    """Write everything the daemons read. `web`, `mail` and `shell` map account names to passwords."""
    values = {"conf": conf, "web4": WEB_V4, "web6": WEB_V6, "ftp": FTP_V4, "smtp": SMTP_V4, "ssh": SSH_V4}
    accounts(conf, shell)
    write(conf / "users.json", json.dumps(dict(web)))
    write(conf / "nginx.conf", fill(_NGINX, values))
    write(conf / "vsftpd.conf", fill(VSFTPD + _VSFTPD, values), 0o600)
    write(conf / "sshd_config", fill(_SSHD, values))
    write(conf / "pam.d/vsftpd", _PAM)
    write(conf / "exim4/exim4.conf", fill(_EXIM, values))
    write(conf / "exim4/users", "".join(f"{name}: {password}\n" for name, password in mail.items()))
    for name, body in _SITE.items():
        title = name.removesuffix(".html").rpartition("/")[2].replace("index", "lanterns").title()
        write(conf / "site" / name, _PAGE.format(title=title, body=body))
    write(conf / "site/style.css", _STYLE)
    for folder in ("truth", "tmp"):
        (conf / folder).mkdir(exist_ok=True)
        (conf / folder).chmod(0o777)
    key(conf / "host_key", "shell.example.com")


def exim4() -> str:
    """The mail server: the one installed, or one unpacked beside another mail server, which LAPWING_EXIM4 names."""
    return str(Path(os.environ.get("LAPWING_EXIM4", "/usr/sbin/exim4")).absolute())


def servers(conf: Path) -> House:
    """The daemons of the demo, ready to be entered."""
    script = ["sh", str(_HERE / "servers.sh"), str(conf), sys.executable, str(_HERE / "webapp.py"), exim4()]
    endpoints = ((WEB_V4, 80), ("127.0.0.1", 8080), (FTP_V4, 21), (SMTP_V4, 25), (SSH_V4, 22))
    return House(script, conf / "truth/servers.log", endpoints)
