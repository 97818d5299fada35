"""Root is for opening ports; the rest is done as somebody else."""

import os
import pwd

from lapwing.events import CollectorError


def drop_privileges(user: str) -> None:
    """Become `user` for good; nothing happens for an empty name. Raises CollectorError."""
    if not user:
        return
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise CollectorError(f"collector.user: there is no user {user!r}") from None
    if os.geteuid() == entry.pw_uid:
        return
    try:
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    except OSError as problem:
        raise CollectorError(f"collector.user: cannot become {user!r}: {problem.strerror}") from None
