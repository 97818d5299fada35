"""A DNS message as text, in the shape interactsh reports (that of dig)."""

from lapwing.events import WireError
from lapwing.wire.dns import AA, QR, RA, RD, TC, DnsMessage, decode
from lapwing.wire.dns_records import class_name, type_name

_FLAGS = ((QR, "qr"), (AA, "aa"), (TC, "tc"), (RD, "rd"), (RA, "ra"))
_OPCODES = {0: "QUERY", 1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE"}
_STATUSES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


def dns_text(data: bytes) -> str:
    """Return header, question and answers as lines; what cannot be read as its bytes in hex."""
    if not data:
        return ""
    try:
        message = decode(data)
    except WireError:
        return f";; malformed: {data.hex()}\n"
    return _header(message) + _sections(message)


def _header(message: DnsMessage) -> str:
    opcode = message.flags >> 11 & 15
    status = message.flags & 15
    flags = "".join(f" {name}" for bit, name in _FLAGS if message.flags & bit)
    return (
        f";; opcode: {_OPCODES.get(opcode, opcode)}, status: {_STATUSES.get(status, status)}, "
        f"id: {message.transaction_id}\n"
        f";; flags:{flags}; QUERY: {len(message.questions)}, ANSWER: {len(message.answers)}, "
        f"AUTHORITY: {message.authority_count}, ADDITIONAL: {message.additional_count}\n"
    )


def _sections(message: DnsMessage) -> str:
    lines = ["", ";; QUESTION SECTION:"] if message.questions else []
    lines += [f";{name}.\t{class_name(qclass)}\t {type_name(qtype)}" for name, qtype, qclass in message.questions]
    if message.answers:
        lines += ["", ";; ANSWER SECTION:"]
        lines += [
            f"{record.name}.\t{record.ttl_s}\t{class_name(record.rclass)}\t{type_name(record.rtype)}\t{record.data}"
            for record in message.answers
        ]
    return "".join(f"{line}\n" for line in lines)
