"""SSH: what it shows in the clear (RFC 4253), its HASSH fingerprints, and how its logins end, inferred from sizes."""

from lapwing.protocols.ssh.parser import SSH, SshParser

__all__ = ["SSH", "SshParser"]
