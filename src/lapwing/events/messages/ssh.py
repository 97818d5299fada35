"""What SSH shows before and beside its encryption (RFC 4253)."""

from lapwing.events.enums import Outcome
from lapwing.events.messages.base import BaseMessage


class SshBanner(BaseMessage, frozen=True, gc=False, tag="ssh.banner"):
    """The identification string of one side, e.g. `SSH-2.0-OpenSSH_9.2p1 Debian-2`."""

    banner: str


class SshKexInit(BaseMessage, frozen=True, gc=False, tag="ssh.kexinit"):
    """Algorithm lists of one side, in order of preference, and their HASSH (MD5 hex; hasshServer for the server)."""

    kex_algorithms: list[str]
    host_key_algorithms: list[str]
    ciphers_client_to_server: list[str]
    ciphers_server_to_client: list[str]
    macs_client_to_server: list[str]
    macs_server_to_client: list[str]
    compression_client_to_server: list[str]
    compression_server_to_client: list[str]
    hassh: str


class SshAuthInferred(BaseMessage, frozen=True, gc=False, tag="ssh.auth_inferred"):
    """A login outcome inferred from the sizes of encrypted packets; `attempt_count` tries so far in this session.

    `confidence` is 0 to 1; `detail` says what it was inferred from. `mechanism` is `password`, `publickey`, `none` or
    `keyboard-interactive` where the sizes tell, `unknown` otherwise.
    """

    outcome: Outcome
    attempt_count: int
    confidence: float
    detail: str = ""
    mechanism: str = "unknown"


class SshAuthUnanswered(BaseMessage, frozen=True, gc=False, tag="ssh.auth_unanswered"):
    """A request of the size of a login, at which the server is silent. Its outcome, if one comes, is told as any other.

    `asked_ns` is when the client had said it, `mechanism` as in `ssh.auth_inferred`.
    """

    asked_ns: int
    mechanism: str = "unknown"
