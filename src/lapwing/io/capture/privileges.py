"""Giving up rights once the interface is open: what parses hostile bytes should hold none."""

import ctypes
import os
import pwd
import struct

from lapwing.events import SettingsError

_VERSION_3 = 0x2008_0522  # _LINUX_CAPABILITY_VERSION_3
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4


def drop_privileges(user: str | None = None) -> None:
    """Become `user` when one is named, drop every capability, and rule out gaining new ones.

    Capabilities are a thread's: call it from the main thread before starting others. Raises SettingsError for an
    unknown user or when this process may not become it.
    """
    if user is not None:
        _become(user)
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    library.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = ctypes.create_string_buffer(struct.pack("Ii", _VERSION_3, 0))
    nothing = ctypes.create_string_buffer(bytes(24))
    if library.capset(header, nothing) != 0:
        raise SettingsError(f"capabilities cannot be dropped: {os.strerror(ctypes.get_errno())}")


def _become(user: str) -> None:
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise SettingsError(f"--user: there is no user {user!r}") from None
    if os.getuid() == entry.pw_uid:
        return
    try:
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    except PermissionError:
        raise SettingsError(f"--user: only root can become {user!r}") from None
