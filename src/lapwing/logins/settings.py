"""What counts as a login."""

import msgspec


class LoginSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of the logins room."""
