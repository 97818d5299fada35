"""Plain words for what the vocabulary abbreviates, and text from the network made safe for a terminal."""

import unicodedata

MAX_TEXT = 200  # characters of a name or a detail shown; longer ones come from somebody who wants them shown

ANOMALIES = {
    "tcp.overlap_conflict": "segments that overlap with different bytes: somebody may be hiding something",
    "tcp.reassembly_overflow": "times a hole was given up because too much waited behind it",
    "tcp.out_of_window": "segments far outside the window",
    "flow.evicted": "flows dropped because the flow table was full",
    "flow.clock_regression": "times the clock of the capture went back",
    "session.parser_fault": "sessions lost to a fault of ours; please report them",
    "wire.link_truncated": "frames cut within the link header",
    "wire.ip_truncated": "packets cut within the IP header",
    "wire.ip_malformed": "packets with an impossible IP header",
    "wire.transport_truncated": "packets cut within the transport header",
    "wire.transport_malformed": "packets with an impossible transport header",
    "wire.unknown_link": "frames of a link type that is not understood",
    "wire.fragment_incomplete": "datagrams of which fragments are missing",
    "wire.fragment_overlap": "datagrams whose fragments contradict one another",
    "wire.fragment_refused": "IP fragments that are cut or of an impossible size",
    "wire.bad_checksum": "packets with a wrong checksum",
    "wire.tunnel_too_deep": "packets in more tunnels than are looked into",
    "logs.foreign": "lines that are not of their log's format",
    "logs.no_address": "lines that tell of a login without the client's address",
    "logs.no_time": "lines with a time that cannot be read",
    "logs.ambiguous": "lines with two readings: somebody may have written an address into them",
    "logs.too_long": "lines longer than a line may be",
    "logs.damaged": "logs that could not be read to their end",
    "logs.truncated": "times a log was cut while it was read; what was in it then is lost",
    "logs.place_lost": "logs whose file is gone or packed since the last run; what was written to it since is not read",
    "logs.year_assumed": "logs whose timestamps carry no year: taken from when they were written",
    "logs.zone_assumed": "logs whose timestamps carry no zone: see logs.time_zone",
    "wire.fault": "frames lost to a fault of ours; please report them",
}


def anomaly(kind: str) -> str:
    """What a kind of anomaly counts, as a plural."""
    known = ANOMALIES.get(kind)
    if known is not None:
        return known
    layer, _, what = kind.partition(".")
    return f"{layer}: {what.replace('_', ' ')}"


def safe(text: str) -> str:
    """`text` without anything a terminal would act on: control, format and surrogate characters become escapes."""
    shown = text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join(
        char if not unicodedata.category(char).startswith(("C", "Zl", "Zp")) else _escape(char) for char in shown
    )


def _escape(char: str) -> str:
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
