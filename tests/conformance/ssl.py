"""ssl.log against `tls.client_hello`, `tls.server_hello`, `tls.certificates`, `tls.alert` and `tls.established`."""

from collections import Counter

from lapwing.app.zeek.handshakes import SslRows
from lapwing.events import SessionMessaged, Side
from lapwing.events.messages.tls import TlsAlert, TlsCertificates, TlsClientHello, TlsEstablished, TlsServerHello
from tests.conformance.compare import Comparison, Difference, compared_cases
from tests.conformance.messages import match_rows, messages_by_flow
from tests.conformance.reasons import SSL_REASONS
from tests.conformance.zeek_logs import Row, unescape

FIELDS = (
    "version",
    "cipher",
    "curve",
    "server_name",
    "resumed",
    "last_alert",
    "next_protocol",
    "established",
    "cert_chain_fps",
    "client_cert_chain_fps",
    "ssl_history",
)
LOGS = ("ssl.log", "ssl.log.cut")
PROTOCOLS = ("tls", "quic")


def connection(events: list[SessionMessaged]) -> list[Row]:
    """One connection as a row of ssl.log."""
    row: Row = dict.fromkeys(FIELDS)
    row |= {"resumed": "F", "established": "F"}
    written = SslRows()
    for event in events:
        all(written.add(event))
        message = event.message
        if isinstance(message, TlsClientHello):
            row["server_name"] = message.server_name
        elif isinstance(message, TlsServerHello) and not message.retry:
            row["version"] = _version(message.version)
            row |= {"cipher": message.cipher_suite, "next_protocol": message.alpn, "curve": message.group}
            row["resumed"] = "T" if 41 in message.extensions else "F"  # a pre-shared key was taken
        elif isinstance(message, TlsCertificates):
            column = "cert_chain_fps" if event.side is Side.SERVER else "client_cert_chain_fps"
            row[column] = ",".join(one.sha256 for one in message.certificates) or None
        elif isinstance(message, TlsAlert):
            row["last_alert"] = message.description
        elif isinstance(message, TlsEstablished):
            row |= {"established": "T", "resumed": "T" if message.resumed else "F", "curve": message.group}
    row["ssl_history"] = next(written.end())["ssl_history"]
    return [row]


def _version(name: str) -> str:
    """`TLSv1.2` as `TLSv12`."""
    return name.replace(".", "")


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    return (unescape(theirs) if theirs and theirs != "(empty)" else None) == ours


def compare_ssl() -> Comparison:
    """Compare every case that has an ssl.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case, theirs in compared_cases("ssl.log", left_out, logs=LOGS):
        ours = {
            key: connection(events)
            for protocol in PROTOCOLS
            for key, events in messages_by_flow(case, protocol).items()
        }
        compared += len(theirs)
        differences += match_rows(case, theirs, ours, FIELDS, SSL_REASONS, _same)
    return Comparison("ssl.log", compared, differences, +left_out)
