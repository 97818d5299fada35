"""The drivers: one packet walks flow table, reassembly, parser, and comes out as session events.

Not here: opening files or interfaces (`io`), and putting a program together (`app`).
"""

from lapwing.sessions.driver import SessionDriver
from lapwing.sessions.emit import FAMILIES, Wanted
from lapwing.sessions.enforcement import Decisions, EnforceSettings, Standing, source_of
from lapwing.sessions.logs import LoginDriver
from lapwing.sessions.settings import PipelineSettings, RunKeys

__all__ = [
    "FAMILIES",
    "Decisions",
    "EnforceSettings",
    "LoginDriver",
    "PipelineSettings",
    "RunKeys",
    "SessionDriver",
    "Standing",
    "Wanted",
    "source_of",
]
