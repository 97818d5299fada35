"""quic.log against `quic.initial` and the hellos inside."""

from collections import Counter

from lapwing.events import SessionMessaged, Side
from lapwing.events.messages.quic import QuicInitial, QuicRetry
from lapwing.events.messages.tls import TlsClientHello
from tests.conformance.compare import Comparison, Difference, compared_cases
from tests.conformance.messages import match_rows, messages_by_flow
from tests.conformance.reasons import QUIC_REASONS
from tests.conformance.zeek_logs import Row

FIELDS = ("version", "client_initial_dcid", "client_scid", "server_scid", "server_name", "client_protocol")
LOGS = ("quic.log", "quic.log.cut")


def connections(events: list[SessionMessaged]) -> list[Row]:
    """The handshakes of a flow as rows of quic.log; a retry begins another."""
    found: list[Row] = []
    for event in events:
        message = event.message
        if isinstance(message, QuicInitial) and event.side is Side.CLIENT:
            row: Row = dict.fromkeys(FIELDS)
            row["version"] = "quicv2" if message.version == "2" else message.version
            row |= {"client_initial_dcid": message.destination_id, "client_scid": message.source_id or "(empty)"}
            found.append(row)
        elif isinstance(message, QuicInitial | QuicRetry) and found:
            if isinstance(message, QuicInitial):
                found[-1]["server_scid"] = message.source_id
        elif isinstance(message, TlsClientHello) and found:
            found[-1] |= {"server_name": message.server_name, "client_protocol": next(iter(message.alpn), None)}
    return found


def compare_quic() -> Comparison:
    """Compare every case that has a quic.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case, theirs in compared_cases("quic.log", left_out, logs=LOGS, fields=FIELDS):
        ours = {key: connections(events) for key, events in messages_by_flow(case, "quic").items()}
        compared += len(theirs)
        differences += match_rows(case, theirs, ours, FIELDS, QUIC_REASONS)
    return Comparison("quic.log", compared, differences, +left_out)
