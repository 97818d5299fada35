"""Where the daemons of a recording live: mount, process and host-name namespaces of their own.

The host's accounts, logs and services are left alone, and everything that was started ends with the first process.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .network import SERVERS, inside

_START_TIMEOUT_S = 30.0  # a daemon that does not answer by then has failed to start
_FIRST_UID = 3000
_NAMESPACES = ("--mount", "--uts", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc")

# Of every FTP server that is recorded; each adds whom it lets in.
VSFTPD = """
listen=YES
listen_ipv6=NO
background=NO
listen_address=@ftp@
local_enable=YES
chroot_local_user=YES
allow_writeable_chroot=YES
secure_chroot_dir=/run/vsftpd/empty
pam_service_name=vsftpd
xferlog_enable=YES
xferlog_std_format=NO
vsftpd_log_file=@conf@/truth/vsftpd.log
ftpd_banner=files.example.com
delay_failed_login=1
seccomp_sandbox=NO
"""


def fill(text: str, values: Mapping[str, object]) -> str:
    """Put values in place of `@name@`; braces and dollars belong to the daemons' own languages."""
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _hashes(passwords: list[str]) -> list[str]:
    command = ["openssl", "passwd", "-6", "-stdin"]
    done = subprocess.run(command, input="\n".join(passwords), capture_output=True, text=True, check=True)
    return done.stdout.split()


def accounts(conf: Path, shell_users: Mapping[str, str]) -> None:
    """Account files with the host's service users (never their hashes) and the recording's own people."""
    service = [line for line in Path("/etc/passwd").read_text().splitlines() if int(line.split(":")[2]) < 1000]
    people = list(enumerate(shell_users, _FIRST_UID))
    passwd = service + [f"{name}:x:{uid}:{uid}::/home/{name}:/bin/sh" for uid, name in people]
    groups = Path("/etc/group").read_text().splitlines() + [f"{name}:x:{uid}:" for uid, name in people]
    shadow = [f"{line.split(':')[0]}:*:20000:0:99999:7:::" for line in service]
    hashes = _hashes(list(shell_users.values()))
    shadow += [f"{name}:{hashed}:20000:0:99999:7:::" for name, hashed in zip(shell_users, hashes, strict=True)]
    write(conf / "passwd", "\n".join(passwd) + "\n")
    write(conf / "group", "\n".join(groups) + "\n")
    write(conf / "shadow", "\n".join(shadow) + "\n", 0o600)


def key(path: Path, comment: str) -> None:
    """Make an SSH key pair without a passphrase."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], check=True)


@dataclass
class House:
    """The running daemons. A context manager; entering waits until every one of them answers."""

    script: Sequence[str]  # runs as process 1 of the namespaces; all daemons are its children
    log: Path
    endpoints: Sequence[tuple[str, int]]
    _process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return inside(SERVERS, self._start)

    def _start(self) -> Self:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(["unshare", *_NAMESPACES, *self.script], stdout=log, stderr=log)
        try:
            for endpoint in self.endpoints:
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
                    raise TimeoutError(f"nothing listens on {endpoint}; see {self.log.parent}") from None
                time.sleep(0.1)
            else:
                return
