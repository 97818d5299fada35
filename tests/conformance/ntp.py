"""ntp.log against `ntp.time`."""

from collections import Counter

from lapwing.events import SessionMessaged
from lapwing.events.messages.ntp import NtpTime
from tests.conformance.compare import Comparison, Difference, compared_cases
from tests.conformance.messages import match_rows, messages_by_flow
from tests.conformance.reasons import NTP_REASONS
from tests.conformance.zeek_logs import Row

TIMES = ("ref_time", "org_time", "rec_time", "xmt_time")
FIELDS = ("version", "mode", "stratum", "poll", "root_delay", "root_disp", "ref_id", *TIMES)
MODES = ("symmetric-active", "symmetric-passive", "client", "server", "broadcast")


def packets(events: list[SessionMessaged]) -> list[Row]:
    """The packets of a flow as rows of ntp.log."""
    return [_row(event.message) for event in events if isinstance(event.message, NtpTime)]


def _row(message: NtpTime) -> Row:
    times = (message.reference_ts_ns, message.origin_ts_ns, message.receive_ts_ns, message.transmit_ts_ns)
    return {
        "version": str(message.version),
        "mode": str(MODES.index(message.mode) + 1),
        "stratum": str(message.stratum),
        "poll": f"{message.poll_s:.6f}",
        "root_delay": f"{message.root_delay_s:.6f}",
        "root_disp": f"{message.root_dispersion_s:.6f}",
        "ref_id": message.reference_id,
        **{name: f"{(ns or 0) / 1e9:.6f}" for name, ns in zip(TIMES, times, strict=True)},
    }


def _same(field: str, theirs: str | None, ours: str | None) -> bool:
    if theirs is None or ours is None:
        return theirs == ours
    if field in TIMES:  # rounded to another microsecond
        return abs(float(theirs) - float(ours)) < 2e-6
    return theirs.replace("\\x00", "") == ours


def compare_ntp() -> Comparison:
    """Compare every case that has an ntp.log."""
    differences: list[Difference] = []
    left_out: Counter[str] = Counter()
    compared = 0
    for case, theirs in compared_cases("ntp.log", left_out):
        ours = {key: packets(events) for key, events in messages_by_flow(case, "ntp").items()}
        compared += len(theirs)
        differences += match_rows(case, theirs, ours, FIELDS, NTP_REASONS, _same)
    return Comparison("ntp.log", compared, differences, left_out)
