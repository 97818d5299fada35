"""DNS messages for parsers, in plain Python: what `hot_dns` does, written to be read.

The same codec as `dns.decode`; what it gives are the questions and records of the event vocabulary.
"""

from struct import Struct

from lapwing.events import WireError
from lapwing.events.messages import DnsQuestion, DnsRecord
from lapwing.wire.dns import HEADER_BYTES, MAX_QUESTIONS, QR, decode
from lapwing.wire.dns_names import read_name
from lapwing.wire.dns_records import CLASS_NAMES, class_name, type_name

MAX_SECTION_RECORDS = 512  # stated per section; more fits no datagram
MULTICAST_BIT = 0x8000  # of a class, RFC 6762: unicast answer wanted, or cache flush

_HEADER = Struct("!6H")
_PAIR = Struct("!HH")
_RESERVED = 0x0040  # the Z bit: zero in everything that is sent
_OPCODES = frozenset({0, 1, 2, 4, 5, 6})

# Transaction id, flags (the second header word), questions, answers, stated counts of the later sections.
DnsParts = tuple[int, int, list[DnsQuestion], list[DnsRecord], int, int]


def read_dns(data: bytes, class_mask: int) -> DnsParts:
    """Read a message; of the classes only the bits of `class_mask` count. Raises WireError as `dns.decode` does."""
    transaction_id, flags, asked, answered, authority_count, additional_count = decode(data)
    questions = [DnsQuestion(name, type_name(qtype), class_name(qclass & class_mask)) for name, qtype, qclass in asked]
    answers = [
        DnsRecord(name, type_name(rtype), ttl_s, text, class_name(rclass & class_mask))
        for name, rtype, rclass, ttl_s, text in answered
    ]
    return transaction_id, flags, questions, answers, authority_count, additional_count


def read_asked(data: bytes) -> tuple[int, str]:
    """Read the flags and what the first question asks for, empty when there is none: what pairs queries and answers.

    Of two messages it is the same when `read_dns` gives both the same transaction id, first name and its type.
    Raises WireError as `read_dns` does.
    """
    transaction_id, flags, asked, _, _, _ = decode(data)
    if not asked:
        return flags, ""
    name, qtype, _ = asked[0]
    return flags, _PAIR.pack(transaction_id, qtype).decode("latin-1") + name


def looks_like_dns(data: bytes) -> bool:
    """Tell whether a datagram begins like a DNS message: a sane header and a question or record that parses."""
    if len(data) < HEADER_BYTES + 5:
        return False
    _, flags, questions, answers, authority, additional = _HEADER.unpack_from(data)
    if flags & _RESERVED or (flags >> 11) & 0xF not in _OPCODES:
        return False
    if max(answers, authority, additional) > MAX_SECTION_RECORDS or questions > MAX_QUESTIONS:
        return False
    is_response = flags & QR
    if not is_response and flags & 0xF:
        return False  # a query has no response code
    if questions == 0 and not (is_response and answers):
        return False
    return _entry_fits(data)


def _entry_fits(data: bytes) -> bool:
    """Tell whether a name, a type and a known class follow the header: the start of a question and of a record."""
    try:
        _, pos = read_name(data, HEADER_BYTES)
    except (WireError, IndexError):
        return False
    if pos + _PAIR.size > len(data):
        return False
    rtype, rclass = _PAIR.unpack_from(data, pos)
    return rtype != 0 and rclass & ~MULTICAST_BIT in CLASS_NAMES
