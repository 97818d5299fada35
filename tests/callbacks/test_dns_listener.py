"""The DNS listener, its answers read by dnspython."""

from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.callbacks.interaction import DnsInteraction
from lapwing.callbacks.responders import CustomRecord, DnsResponder, DnsStreamResponder, Send, Zone
from lapwing.callbacks.responders.dns import MAX_AMPLIFICATION, MAX_QUERIES, MAX_UDP_BYTES, MAX_USUAL
from lapwing.callbacks.responders.zone import MAX_REBINDINGS, Rebindings
from lapwing.events import SettingsError
from tests.callbacks.playbook import PEER, SIZES, Talk, play, same_whichever_way_it_is_cut

TOKEN = "c6rj61aciaeutn2ae680cg5ugboyyyyyn"
ZONE = Zone(
    domains=("oast.example.com", "example.org"),
    ipv4=("198.51.100.7",),
    ipv6=("2001:db8::7",),
    records={
        "go": (CustomRecord("CNAME", ("elsewhere.example.net",), ttl_s=30),),
        "swap": (CustomRecord("A", ("192.0.2.1", "10.0.0.1"), rebind=True),),
        "texts": (CustomRecord("TXT", ("a" * 300, "ä")), CustomRecord("MX", ("mx.example.net",), priority=5)),
        "many": (CustomRecord("A", tuple(f"192.0.2.{index}" for index in range(64))),),
        TOKEN: (CustomRecord("AAAA", ("2001:db8::99",)),),
    },
    challenges={"_acme-challenge.oast.example.com": ("proof-1", "proof-2")},
)


def ask(name: str, rtype: str = "A", *, tcp: bool = False, zone: Zone = ZONE, **options: Any) -> dns.message.Message:
    query = dns.message.make_query(name, rtype, **options)
    return exchange(DnsResponder(zone), query, tcp=tcp)[1]


def exchange(
    responder: DnsResponder, query: dns.message.Message, *, tcp: bool = False
) -> tuple[DnsInteraction, dns.message.Message]:
    note, sent = responder.answer(query.to_wire(), PEER, 7, transport="tcp" if tcp else "udp")
    assert isinstance(note, DnsInteraction)
    assert isinstance(sent, Send)
    reply = dns.message.from_wire(sent.data)
    assert reply.id == query.id
    assert reply.question == query.question
    return note, reply


def texts(reply: dns.message.Message) -> list[str]:
    return [record.to_text() for rrset in reply.answer for record in rrset]


@pytest.mark.parametrize(
    ("name", "rtype", "expected"),
    [
        (f"{TOKEN}x.oast.example.com", "A", ["198.51.100.7"]),
        ("a.b.c.oast.example.com", "AAAA", ["2001:db8::7"]),
        ("oast.example.com", "A", ["198.51.100.7"]),
        ("x.example.org", "MX", ["1 mail.example.org."]),
        ("oast.example.com", "NS", ["ns1.oast.example.com.", "ns2.oast.example.com."]),
        (
            "oast.example.com",
            "SOA",
            ["ns1.oast.example.com. hostmaster.oast.example.com. 1 3600 600 86400 1"],
        ),
        ("x.oast.example.com", "CAA", ['0 issue "letsencrypt.org"']),
        ("go.oast.example.com", "A", ["elsewhere.example.net."]),
        ("go.oast.example.com", "CNAME", ["elsewhere.example.net."]),
        ("texts.oast.example.com", "MX", ["5 mx.example.net."]),
        (f"x.y.{TOKEN}.oast.example.com", "AAAA", ["2001:db8::99"]),
        ("aws.oast.example.com", "A", ["169.254.169.254"]),
        (f"localhost.{TOKEN}x.oast.example.com", "A", ["127.0.0.1"]),
        ("_acme-challenge.oast.example.com", "TXT", ['"proof-1"', '"proof-2"']),
        ("x.oast.example.com", "ANY", ["198.51.100.7", "2001:db8::7"]),
    ],
)
def test_names_of_ours_are_answered_with_authority(name: str, rtype: str, expected: list[str]) -> None:
    reply = ask(name, rtype)
    assert texts(reply) == expected
    assert reply.flags & dns.flags.AA
    assert not reply.flags & dns.flags.RA
    assert all(rrset.ttl <= 1 or rrset.ttl == 30 for rrset in reply.answer)


def test_long_and_foreign_texts_reach_over_tcp() -> None:
    assert ask("texts.oast.example.com", "TXT").flags & dns.flags.TC
    (long, short) = texts(ask("texts.oast.example.com", "TXT", tcp=True))
    assert long == f'"{"a" * 255}" "{"a" * 45}"'
    assert short == '"\\195\\164"'


@pytest.mark.parametrize(
    ("name", "rtype"),
    [
        ("x.oast.example.com", "TXT"),
        ("x.oast.example.com", "SRV"),
        ("_acme-challenge.example.org", "TXT"),
        ("_acme-challenge.oast.example.com", "A"),
        (f"{TOKEN}.oast.example.com", "A"),  # has an answer of its own, of another type
        ("x.oast.example.com", "NS"),
    ],
)
def test_a_type_without_records_gets_an_empty_answer_with_the_soa(name: str, rtype: str) -> None:
    reply = ask(name, rtype)
    assert (reply.rcode(), texts(reply)) == (dns.rcode.NOERROR, [])
    assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.SOA]


@pytest.mark.parametrize("name", ["example.com", "xoast.example.com", "com", ".", "example.net"])
def test_names_of_others_are_refused(name: str) -> None:
    reply = ask(name)
    assert (reply.rcode(), texts(reply)) == (dns.rcode.REFUSED, [])
    assert not reply.flags & dns.flags.AA
    assert ask("x.oast.example.com", rdclass="CH").rcode() == dns.rcode.REFUSED


def test_new_challenges_are_answered_at_once() -> None:
    responder = DnsResponder(ZONE)
    responder.use(Zone(domains=("example.org",), challenges={"_acme-challenge.example.org": ("new",)}))
    query = dns.message.make_query("_acme-challenge.example.org", "TXT")
    assert texts(exchange(responder, query)[1]) == ['"new"']


def test_letters_of_the_question_are_kept_in_answer_and_note() -> None:
    query = dns.message.make_query(f"WwW.{TOKEN.upper()}.OaSt.ExAmPlE.cOm", "A")
    responder = DnsResponder(ZONE)
    note, reply = exchange(responder, query)
    assert note.name == f"WwW.{TOKEN.upper()}.OaSt.ExAmPlE.cOm"
    assert reply.question[0].name.to_text() == note.name + "."
    assert (note.query_type, note.ts_ns, note.raw_request) == ("A", 7, query.to_wire())


def test_rebinding_gives_the_next_value_to_each_query() -> None:
    responder = DnsResponder(ZONE)
    query = dns.message.make_query(f"x.swap.{TOKEN}x.oast.example.com", "A")
    assert [texts(exchange(responder, query)[1]) for _ in range(4)] == [
        ["192.0.2.1"],
        ["10.0.0.1"],
        ["10.0.0.1"],
        ["10.0.0.1"],
    ]


def test_the_memory_of_turns_is_bounded() -> None:
    turns = Rebindings()
    record = CustomRecord("A", ("192.0.2.1", "192.0.2.2"), rebind=True)
    for index in range(MAX_REBINDINGS + 5):
        turns.next(str(index), record)
    assert len(turns) == MAX_REBINDINGS
    assert turns.next("0", record) == ("192.0.2.1",)
    assert turns.next(str(MAX_REBINDINGS), record) == ("192.0.2.2",)


def test_edns_is_answered_and_other_versions_are_told() -> None:
    reply = ask("x.oast.example.com", use_edns=0, payload=4096)
    assert (reply.edns, reply.payload) == (0, MAX_UDP_BYTES)
    assert ask("x.oast.example.com", use_edns=3).rcode() == dns.rcode.BADVERS
    subnet = dns.edns.ECSOption("203.0.113.0", 24)
    assert texts(ask("x.oast.example.com", use_edns=0, options=[subnet])) == ["198.51.100.7"]
    assert ask("x.oast.example.com").edns == -1


def test_other_operations_are_not_implemented() -> None:
    query = dns.message.make_query("x.oast.example.com", "SOA")
    query.set_opcode(dns.opcode.NOTIFY)
    assert exchange(DnsResponder(ZONE), query)[1].rcode() == dns.rcode.NOTIMP


def test_answers_are_never_answered() -> None:
    wire = dns.message.make_response(dns.message.make_query("x.oast.example.com", "A")).to_wire()
    assert DnsResponder(ZONE).answer(wire, PEER, 0) == []


@pytest.mark.parametrize("rtype", ["A", "TXT", "NS", "SOA", "MX", "CAA", "ANY", "AAAA"])
@pytest.mark.parametrize(
    "name", [".", "oast.example.com", "many.oast.example.com", "texts.oast.example.com", "q.example.org"]
)
@pytest.mark.parametrize("edns", [-1, 0])
def test_no_answer_over_udp_is_much_longer_than_its_query(name: str, rtype: str, edns: int) -> None:
    query = dns.message.make_query(name, rtype, use_edns=edns, payload=65_000)
    _, sent = DnsResponder(ZONE).answer(query.to_wire(), PEER, 0)
    assert isinstance(sent, Send)
    assert len(sent.data) <= MAX_AMPLIFICATION * len(query.to_wire())
    dns.message.from_wire(sent.data)


def test_what_does_not_fit_is_there_over_tcp() -> None:
    assert ask("many.oast.example.com").flags & dns.flags.TC
    assert len(texts(ask("many.oast.example.com", tcp=True))) == 64
    huge = Zone(domains=("example.org",), records={"x": (CustomRecord("TXT", ("y" * 60_000, "z" * 60_000)),)})
    assert ask("x.example.org", "TXT", tcp=True, zone=huge).flags & dns.flags.TC


@given(st.binary(max_size=80), st.sampled_from(["udp", "tcp"]))
def test_any_bytes_are_noted_and_amplify_nothing(data: bytes, transport: str) -> None:
    outputs = DnsResponder(ZONE).answer(data, PEER, 0, transport=transport)
    notes = [output for output in outputs if isinstance(output, DnsInteraction)]
    assert len(notes) == (0 if len(data) > 2 and data[2] & 0x80 else 1)
    for output in outputs:
        if isinstance(output, Send):
            assert len(output.data) <= MAX_AMPLIFICATION * len(data)


@given(st.data())
def test_a_damaged_query_is_answered_in_kind(data: st.DataObject) -> None:
    wire = bytearray(dns.message.make_query("x.oast.example.com", "A", use_edns=0).to_wire())
    for _ in range(data.draw(st.integers(1, 6))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    outputs = DnsResponder(ZONE).answer(bytes(wire), PEER, 0)
    assert len(outputs) in {0, 2}


def test_a_query_that_is_none_gets_format_error_and_is_kept() -> None:
    for wire in (
        bytes(12),
        b"\x12\x34\x01\x00\x00\x02" + bytes(20),
        b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x09abc",
    ):
        note, sent = DnsResponder(ZONE).answer(wire, PEER, 0)
        assert isinstance(note, DnsInteraction)
        assert note.malformed
        assert note.raw_request == wire
        assert isinstance(sent, Send)
        assert dns.message.from_wire(sent.data).rcode() == dns.rcode.FORMERR
    (only,) = DnsResponder(ZONE).answer(b"short", PEER, 0)
    assert isinstance(only, DnsInteraction)


# Over TCP.


def framed(*queries: dns.message.Message) -> bytes:
    return b"".join(len(query.to_wire()).to_bytes(2, "big") + query.to_wire() for query in queries)


def make() -> DnsStreamResponder:
    return DnsStreamResponder(PEER, 0, dns=DnsResponder(ZONE))


@given(SIZES)
def test_queries_over_tcp_are_the_same_in_any_pieces(sizes: list[int]) -> None:
    queries = [dns.message.make_query(f"{index}.oast.example.com", "A", id=index) for index in range(3)]
    same_whichever_way_it_is_cut(make, [framed(*queries) + b"\x00\x09rest"], sizes)


def test_several_queries_share_a_connection_up_to_a_bound() -> None:
    query = dns.message.make_query("x.oast.example.com", "A")
    talk = play(make, [framed(query, query)])
    assert len(talk.noted) == 2
    assert len(dns.message.from_wire(bytes(talk.heard[2 : 2 + int.from_bytes(talk.heard[:2], "big")])).answer) == 1
    talk = play(make, [framed(*[query] * (MAX_QUERIES + 3))])
    assert len(talk.noted) == MAX_QUERIES


def test_what_is_no_query_ends_the_connection() -> None:
    talk = Talk(make())
    talk.say(b"\x00\x02hi")
    assert talk.closed
    assert len(talk.noted) == 1
    (note,) = play(make, [b"GET / HTTP/1.1\r\n"]).noted
    assert note.raw_request == b"GET / HTTP/1.1\r\n"


@given(st.lists(st.binary(max_size=60), max_size=4), SIZES)
def test_any_bytes_over_tcp_are_the_same_in_any_pieces(steps: list[bytes], sizes: list[int]) -> None:
    same_whichever_way_it_is_cut(make, list(steps), sizes)


@pytest.mark.parametrize(
    "wrong",
    [
        {"domains": ()},
        {"domains": ("Example.org",)},
        {"domains": ("example.org.",)},
        {"domains": (".".join(["a" * 60] * 4) + ".example",)},
        {"domains": ("example.org",), "ipv4": ("2001:db8::1",)},
        {"domains": ("example.org",), "ipv6": ("none",)},
        {"domains": ("example.org",), "issuers": ("ä",)},
    ],
)
def test_a_zone_that_cannot_be_answered_for_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"callbacks\.dns"):
        Zone(**wrong)


@pytest.mark.parametrize(
    ("rtype", "values"), [("A", ("x",)), ("SRV", ("x",)), ("TXT", ()), ("CNAME", ("a..b",)), ("A", ("192.0.2.1",) * 65)]
)
def test_a_record_that_cannot_be_given_is_refused(rtype: str, values: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match=r"callbacks\.dns"):
        CustomRecord(rtype, values)


FLAGS = st.sampled_from([0x0000, 0x0100, 0x0120, 0x0110, 0x0010, 0x2000, 0x8000, 0x0300, 0x0001])
LABELS = st.sampled_from(
    [b"x", b"X-y_Z", TOKEN.encode(), b"go", b"swap", b"aws", b"_acme-challenge", b"a.b", b"\xe4", b"\0"]
)
DOMAINS = st.sampled_from([(b"oAst", b"example", b"com"), (b"example", b"org"), (b"example", b"com"), ()])
TAILS = st.sampled_from(
    [
        (0, b""),
        (0, b"rest"),
        (1, b"\0\0\x29\x04\xd0\0\0\0\0\0\0"),
        (1, b"\0\0\x29\x00\x10\0\0\x80\0\0\0"),
        (1, b"\0\0\x29\x04\xd0\0\1\0\0\0\0"),
        (1, b"\0\0\x29\x04\xd0\0\0\0\0\0"),
        (1, b"\0\0\1\0\1\0\0\0\0\0\4abcd"),
        (2, b"\0\0\x29\x04\xd0\0\0\0\0\0\0" * 2),
    ]
)


@given(
    flags=FLAGS,
    labels=st.lists(LABELS, max_size=5),
    domain=DOMAINS,
    qtype=st.sampled_from([1, 2, 5, 6, 15, 16, 28, 255, 257, 65280]),
    qclass=st.sampled_from([1, 1, 1, 255, 3]),
    tail=TAILS,
    cut=st.integers(0, 40),
    transport=st.sampled_from(["udp", "tcp"]),
)
def test_the_usual_question_is_answered_as_every_other_is(
    flags: int,
    labels: list[bytes],
    domain: tuple[bytes, ...],
    qtype: int,
    qclass: int,
    tail: tuple[int, bytes],
    cut: int,
    transport: str,
) -> None:
    name = b"".join(bytes((len(label),)) + label for label in (*labels, *domain)) + b"\0"
    head = b"\1\2" + flags.to_bytes(2, "big") + b"\0\1\0\0\0\0" + tail[0].to_bytes(2, "big")
    message = head + name + qtype.to_bytes(2, "big") + qclass.to_bytes(2, "big") + tail[1]
    message = message[: len(message) - cut] if cut < 12 else message
    first, again, careful = DnsResponder(ZONE), DnsResponder(ZONE), DnsResponder(ZONE)
    quick = first.respond(message, PEER, 7, transport)
    again.respond(message, PEER, 7, transport)
    again.rebindings._turns.clear()
    if flags & 0x8000:
        assert quick is None
    else:
        assert quick == careful._careful(message, PEER, 7, transport)
        assert again.respond(message, PEER, 7, transport) == quick  # what is kept ready says the same


def test_answers_kept_ready_stay_within_their_bound() -> None:
    responder = DnsResponder(ZONE)
    for qtype in range(MAX_USUAL + 10):
        message = dns.message.make_query(f"x.{ZONE.domains[0]}", dns.rdatatype.RdataType.make(qtype + 300)).to_wire()
        responder.respond(message, PEER, 7)
        assert len(responder._ready) <= MAX_USUAL
