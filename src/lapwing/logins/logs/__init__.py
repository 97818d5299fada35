"""Log lines in, logins out: one file per kind of log, all of one shape, and a table that tells them apart.

A line is hostile: whoever tries to log in writes part of it. No reader takes a client's address from a place that the
client can write to; where it cannot be told, the line is counted as ambiguous. Nothing here opens a file.
"""

from lapwing.logins.logs.context import LogContext
from lapwing.logins.logs.contract import LineReader, LogFormat, Miss, Reading
from lapwing.logins.logs.formats import LOG_FORMATS, SAMPLE_LINES, format_named, recognise
from lapwing.logins.logs.lines import LogLines
from lapwing.logins.logs.patterns import Pattern, parse_patterns, pattern_format
from lapwing.logins.logs.settings import LogSettings
from lapwing.logins.logs.times import Clock

__all__ = [
    "LOG_FORMATS",
    "SAMPLE_LINES",
    "Clock",
    "LineReader",
    "LogContext",
    "LogFormat",
    "LogLines",
    "LogSettings",
    "Miss",
    "Pattern",
    "Reading",
    "format_named",
    "parse_patterns",
    "pattern_format",
    "recognise",
]
