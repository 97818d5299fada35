"""The daemons of the recording and their configuration: Dovecot, Postfix, vsftpd, OpenLDAP, OpenSSH.

Each of them offers its logins in clear and under TLS.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.record_demo.house import VSFTPD, House, accounts, fill, key, write
from tools.record_demo.network import FTP_V4, LDAP_V4, SMTP_V4, SSH_V4, WEB_V6

MAIL_V4, MAIL_V6 = SMTP_V4, WEB_V6
SUFFIX = "dc=example,dc=com"

_HERE = Path(__file__).parent

_DOVECOT = """
base_dir = /run/dovecot
log_path = @conf@/truth/dovecot.log
protocols = imap pop3
listen = @mail4@, @mail6@
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-256 apop
auth_verbose = yes
auth_failure_delay = 1 secs
disable_plaintext_auth = no
ssl = yes
ssl_cert = <@conf@/cert.pem
ssl_key = <@conf@/key.pem
first_valid_uid = 1
mail_location = maildir:~/Maildir
passdb {
  driver = passwd-file
  args = username_format=%u @conf@/mail.users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=/home/mail/%u
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener @conf@/auth {
    mode = 0666
  }
}
"""

_POSTFIX_MAIN = """
compatibility_level = 3.6
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = @conf@/truth/postfix.log
maillog_file_prefixes = @conf@
myhostname = mail.example.com
mydomain = example.com
mydestination =
mynetworks =
alias_maps =
inet_interfaces = @mail4@
inet_protocols = ipv4
default_transport = discard:
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = @conf@/auth
smtpd_tls_security_level = may
smtpd_tls_auth_only = no
smtpd_tls_cert_file = @conf@/cert.pem
smtpd_tls_key_file = @conf@/key.pem
"""

_POSTFIX_MASTER = """
postlog unix-dgram n - n - 1 postlogd
submission inet n - n - - smtpd
submissions inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
scache unix - - n - 1 scache
proxymap unix - - n - - proxymap
"""

_VSFTPD = """
anonymous_enable=YES
no_anon_password=NO
anon_root=@conf@/site
ssl_enable=YES
force_local_logins_ssl=NO
force_local_data_ssl=NO
require_ssl_reuse=NO
rsa_cert_file=@conf@/cert.pem
rsa_private_key_file=@conf@/key.pem
"""

_SLAPD = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile @conf@/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile @conf@/cert.pem
TLSCertificateKeyFile @conf@/key.pem
password-hash {CLEARTEXT}
sasl-host ldap.example.com
sasl-secprops none
authz-regexp "uid=([^,]*),.*cn=auth" "uid=$1,ou=people,@suffix@"
database mdb
maxsize 16777216
suffix @suffix@
directory @conf@/ldap
access to attrs=userPassword by anonymous auth by * none
access to * by * read
"""

_LDIF = """dn: @suffix@
objectClass: domain
dc: example

dn: ou=people,@suffix@
objectClass: organizationalUnit
ou: people
"""

_PERSON = """
dn: uid=@name@,ou=people,@suffix@
objectClass: inetOrgPerson
uid: @name@
cn: @name@
sn: @name@
userPassword: @password@
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
StrictModes no
UseDNS no
LogLevel VERBOSE
MaxAuthTries 6
PrintMotd no
PrintLastLog no
"""

_HOSTS = "127.0.0.1 localhost\n@mail4@ mail.example.com\n@ldap@ ldap.example.com\n@ftp@ files.example.com\n"
_PAM = "auth required pam_unix.so nodelay\naccount required pam_unix.so\nsession required pam_permit.so\n"


def _certificate(conf: Path) -> None:
    """A certificate of the recording's own, good for three days and for nothing else."""
    names = "subjectAltName=DNS:mail.example.com,DNS:files.example.com,DNS:ldap.example.com"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3"]
    files = ["-keyout", str(conf / "key.pem"), "-out", str(conf / "cert.pem")]
    made = ["openssl", "req", "-x509", *curve, *files, "-subj", "/CN=mail.example.com", "-addext", names]
    subprocess.run(made, check=True, capture_output=True)


def configure(conf: Path, *, mail: Mapping[str, str], people: Mapping[str, str]) -> None:
    """Write everything the daemons read: `mail` are the accounts of the mail servers, `people` those of the rest."""
    values = {
        "conf": conf,
        "mail4": MAIL_V4,
        "mail6": MAIL_V6,
        "ftp": FTP_V4,
        "ssh": SSH_V4,
        "ldap": LDAP_V4,
        "suffix": SUFFIX,
    }
    accounts(conf, people)
    write(conf / "pam.d/vsftpd", _PAM)
    write(conf / "hosts", fill(_HOSTS, values))
    write(conf / "resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")  # answers at once: nobody there
    write(conf / "dovecot.conf", fill(_DOVECOT, values))
    write(conf / "mail.users", "".join(f"{name}:{{PLAIN}}{secret}::::::\n" for name, secret in mail.items()))
    write(conf / "postfix/main.cf", fill(_POSTFIX_MAIN, values))
    write(conf / "postfix/master.cf", _POSTFIX_MASTER)
    write(conf / "vsftpd.conf", fill(VSFTPD + _VSFTPD, values), 0o600)
    write(conf / "slapd.conf", fill(_SLAPD, values))
    entries = (fill(_PERSON, values | {"name": name, "password": secret}) for name, secret in people.items())
    write(conf / "people.ldif", fill(_LDIF, values) + "".join(entries))
    write(conf / "sshd_config", fill(_SSHD, values))
    write(conf / "site/welcome.txt", "lamps, lanterns and wicks\n")
    for folder in ("truth", "ldap"):
        (conf / folder).mkdir()
        (conf / folder).chmod(0o777)
    key(conf / "host_key", "shell.example.com")
    for name in ("known_key", "other_key"):
        key(conf / name, "laptop.example.com")
    _certificate(conf)


def servers(conf: Path) -> House:
    """The daemons, ready to be entered."""
    ports = [(MAIL_V4, port) for port in (143, 993, 110, 995, 587, 465)]
    others = [(FTP_V4, 21), (LDAP_V4, 389), (LDAP_V4, 636), (SSH_V4, 22)]
    return House(["sh", str(_HERE / "servers.sh"), str(conf)], conf / "truth/servers.log", [*ports, *others])
