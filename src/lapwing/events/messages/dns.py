"""DNS messages (RFC 1035)."""

from lapwing.events.messages.base import BaseMessage


class DnsQuestion(BaseMessage, frozen=True, gc=False, tag="dns.question"):
    """One question; names are lower case as sent, without the trailing dot, non-printing bytes as `\\DDD`."""

    name: str
    qtype: str
    qclass: str = "IN"


class DnsRecord(BaseMessage, frozen=True, gc=False, tag="dns.record"):
    """One resource record in presentation form."""

    name: str
    rtype: str
    ttl_s: int
    data: str
    rclass: str = "IN"


class DnsQuery(BaseMessage, frozen=True, gc=False, tag="dns.query"):
    """A query. `authentic_data` asks to be told whether the answer is (RFC 6840, 5.7)."""

    transaction_id: int
    opcode: int
    questions: list[DnsQuestion]
    recursion_desired: bool = False
    checking_disabled: bool = False
    additional_count: int = 0
    authentic_data: bool = False


class DnsResponse(BaseMessage, frozen=True, gc=False, tag="dns.response"):
    """An answer. `rtt_ns` is the time since its query, None when that was not seen."""

    transaction_id: int
    opcode: int
    rcode: int
    questions: list[DnsQuestion]
    answers: list[DnsRecord]
    authority_count: int = 0
    additional_count: int = 0
    authoritative: bool = False
    truncated: bool = False
    recursion_desired: bool = False
    recursion_available: bool = False
    rtt_ns: int | None = None


class DnsUnanswered(BaseMessage, frozen=True, gc=False, tag="dns.unanswered"):
    """A query that nobody answered within 10 s, before its flow ended or too many others waited.

    It is told once, at that time; `asked_ns` is that of the query. An answer may still come.
    """

    transaction_id: int
    name: str
    qtype: str
    asked_ns: int
