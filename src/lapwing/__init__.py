"""Lapwing watches login sessions: packets in, typed messages, logins and credential attacks out."""

from lapwing._version import __version__

__all__ = ["__version__"]
