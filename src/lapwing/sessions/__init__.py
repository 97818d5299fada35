"""The drivers: one packet walks flow table, reassembly, parser, and comes out as session events.

Not here: opening files or interfaces (`io`), and putting a program together (`app`).
"""

from lapwing.sessions.driver import SessionDriver
from lapwing.sessions.emit import FAMILIES, Wanted
from lapwing.sessions.logs import LoginDriver
from lapwing.sessions.settings import PipelineSettings, RunKeys, SessionSettings
from lapwing.sessions.sources import source_of

__all__ = [
    "FAMILIES",
    "LoginDriver",
    "PipelineSettings",
    "RunKeys",
    "SessionDriver",
    "SessionSettings",
    "Wanted",
    "source_of",
]
