"""NTP (RFC 5905, RFC 9327)."""

from lapwing.events.messages.base import BaseMessage


class NtpTime(BaseMessage, frozen=True, gc=False, tag="ntp.time"):
    """One packet of timekeeping. Times are nanoseconds UTC, None where the field is zero.

    `mode` is `client`, `server`, `broadcast`, `symmetric-active` or `symmetric-passive`. From stratum 2 on
    `reference_id` is the address of the server's source, before that a code such as `GPS` or why the server refuses.
    """

    version: int
    mode: str
    stratum: int
    poll_s: float
    precision_s: float
    root_delay_s: float
    root_dispersion_s: float
    reference_id: str
    reference_ts_ns: int | None = None
    origin_ts_ns: int | None = None
    receive_ts_ns: int | None = None
    transmit_ts_ns: int | None = None


class NtpControl(BaseMessage, frozen=True, gc=False, tag="ntp.control"):
    """A question about the server itself, or its answer: modes 6 (`control`) and 7 (`private`, e.g. operation 42)."""

    version: int
    mode: str
    operation: int
    response: bool = False


NtpMessage = NtpTime | NtpControl
