"""DNS messages (RFC 1035): bytes to questions and records, and back."""

from struct import Struct, error
from typing import NamedTuple

from lapwing.events import WireError
from lapwing.wire.dns_names import read_name, write_name
from lapwing.wire.dns_records import encode_data, present

HEADER_BYTES = 12
MAX_QUESTIONS = 64  # more is no DNS anybody speaks: a query has one, multicast a few

QR = 0x8000
AA = 0x0400
TC = 0x0200
RD = 0x0100
RA = 0x0080
CD = 0x0010

_HEADER = Struct("!6H")
_PAIR = Struct("!HH")
_RECORD = Struct("!HHIH")


class Question(NamedTuple):
    """`name` as `dns_names.read_name` gives it."""

    name: str
    qtype: int
    qclass: int


class Record(NamedTuple):
    """`data` as `dns_records.present` gives it."""

    name: str
    rtype: int
    rclass: int
    ttl_s: int
    data: str


class DnsMessage(NamedTuple):
    """A message up to its answers; of the later sections only the stated counts. `flags` is the second header word."""

    transaction_id: int
    flags: int
    questions: list[Question]
    answers: list[Record]
    authority_count: int = 0
    additional_count: int = 0


def decode(data: bytes) -> DnsMessage:
    """Decode a message. Raises WireError for a bad header or question; answers end before the first bad one."""
    try:
        transaction_id, flags, question_count, answer_count, authority, additional = _HEADER.unpack_from(data)
        if question_count > MAX_QUESTIONS:
            raise WireError("too many questions")
        questions = []
        pos = HEADER_BYTES
        for _ in range(question_count):
            name, pos = read_name(data, pos)
            qtype, qclass = _PAIR.unpack_from(data, pos)
            pos += 4
            questions.append(Question(name, qtype, qclass))
    except (IndexError, error):
        raise WireError("message ends within its header or questions") from None
    answers = _read_answers(data, pos, answer_count) if answer_count else []
    return DnsMessage(transaction_id, flags, questions, answers, authority, additional)


def _read_answers(data: bytes, pos: int, count: int) -> list[Record]:
    answers: list[Record] = []
    names: dict[int, str] = {}  # most answers point to the name of the question: read it once
    try:
        for _ in range(count):
            target = data[pos] << 8 | data[pos + 1]
            if target >= 0xC000 and target in names:
                name, pos = names[target], pos + 2
            else:
                name, pos = read_name(data, pos)
                names[target] = name
            rtype, rclass, ttl_s, length = _RECORD.unpack_from(data, pos)
            pos += _RECORD.size
            end = pos + length
            if end > len(data):
                break
            answers.append(Record(name, rtype, rclass, ttl_s, present(data, pos, end, rtype)))
            pos = end
    except (IndexError, error, WireError):
        pass  # a truncated or damaged tail; what came before it is whole
    return answers


def encode(message: DnsMessage) -> bytes:
    """Return the wire form of a message, names uncompressed; the inverse of `decode`. Raises WireError."""
    parts = [
        _HEADER.pack(
            message.transaction_id,
            message.flags,
            len(message.questions),
            len(message.answers),
            message.authority_count,
            message.additional_count,
        )
    ]
    parts += [write_name(question.name) + _PAIR.pack(question.qtype, question.qclass) for question in message.questions]
    for record in message.answers:
        data = encode_data(record.rtype, record.data)
        parts += [write_name(record.name), _RECORD.pack(record.rtype, record.rclass, record.ttl_s, len(data)), data]
    return b"".join(parts)
