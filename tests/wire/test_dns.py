"""The DNS codec, with another implementation as the oracle."""

import ipaddress

import dns.exception
import dns.message
import dns.name
import dns.rdata
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import WireError
from lapwing.wire.dns import DnsMessage, Question, Record, decode, encode
from lapwing.wire.dns_names import read_name, write_name
from lapwing.wire.dns_records import TYPE_NAMES, encode_data, ipv6_text, present

LABELS = st.lists(st.binary(min_size=1, max_size=20), max_size=8)
NAMES = LABELS.map(lambda labels: read_name(b"".join(bytes((len(x),)) + x for x in labels) + b"\0", 0)[0])
PLAIN_NAMES = st.lists(st.from_regex(r"[a-z0-9_-]{1,12}", fullmatch=True), min_size=1, max_size=5).map(".".join)
NUMBER16 = st.integers(0, 0xFFFF)
NUMBER32 = st.integers(0, 0xFFFFFFFF)
DATA = st.one_of(
    st.tuples(st.just(1), st.ip_addresses(v=4).map(str)),
    st.tuples(st.just(28), st.binary(min_size=16, max_size=16).map(ipv6_text)),
    st.tuples(st.sampled_from([2, 5, 12]), PLAIN_NAMES),
    st.tuples(st.just(15), st.builds("{} {}".format, NUMBER16, PLAIN_NAMES)),
    st.tuples(st.just(33), st.builds("{} {} {} {}".format, NUMBER16, NUMBER16, NUMBER16, PLAIN_NAMES)),
    st.tuples(st.just(6), st.builds("{} {} {}".format, PLAIN_NAMES, PLAIN_NAMES, st.just("1 2 3 4 4294967295"))),
    st.tuples(
        st.just(16),
        st.lists(st.binary(max_size=60), min_size=1, max_size=3).map(
            lambda texts: present(wire := b"".join(bytes((len(x),)) + x for x in texts), 0, len(wire), 16)
        ),
    ),
    st.tuples(st.just(65280), st.binary(max_size=20).map(lambda x: f"\\# {len(x)} {x.hex()}".rstrip())),
)
RECORDS = st.builds(lambda name, ttl_s, data: Record(name, data[0], 1, ttl_s, data[1]), NAMES, NUMBER32, DATA)
MESSAGES = st.builds(
    DnsMessage,
    NUMBER16,
    NUMBER16,
    st.lists(st.builds(Question, NAMES, NUMBER16, NUMBER16), max_size=3),
    st.lists(RECORDS, max_size=4),
    NUMBER16,
    NUMBER16,
)


@given(MESSAGES)
def test_encode_then_decode_is_identity(message: DnsMessage) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_raise_a_wire_error(data: bytes) -> None:
    try:
        decode(data)
    except WireError:
        return
    assert len(data) >= 12


@given(LABELS)
def test_names_print_as_the_oracle_prints_them(labels: list[bytes]) -> None:
    wire = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    ours, stop = read_name(wire, 0)
    assert stop == len(wire)
    assert ours == (dns.name.Name([label.lower() for label in labels]).to_text() if labels else "")
    assert read_name(write_name(ours), 0)[0] == ours


@pytest.mark.parametrize(
    "wire",
    [
        b"\xc0\x00",  # to itself
        b"\x01a\xc0\x00",  # to before itself, and round again
        b"\xc0\x04\x00\x00\xc0\x00",  # forwards
        b"\x40\x00",  # undefined label type
        b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 3 + b"\0",  # 257 bytes
    ],
)
def test_a_name_that_loops_or_breaks_the_rules_is_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        read_name(wire, 0)


def test_a_chain_of_pointers_costs_no_more_than_its_length() -> None:
    chain = b"\x00" + b"".join((0xC000 | (0 if n == 0 else 2 * n - 1)).to_bytes(2, "big") for n in range(8000))
    assert read_name(chain, len(chain) - 2) == ("", len(chain))


@given(st.binary(min_size=16, max_size=16))
def test_ipv6_addresses_are_in_canonical_form(address: bytes) -> None:
    expected = ipaddress.IPv6Address(address)
    mapped = expected.ipv4_mapped
    assert ipv6_text(address) == (f"::ffff:{mapped}" if mapped else str(expected))


@given(st.lists(st.sampled_from([0, 0, 0, 1, 0x10, 0x2001]), min_size=8, max_size=8))
def test_ipv6_addresses_with_many_zeros_are_in_canonical_form(groups: list[int]) -> None:
    address = b"".join(group.to_bytes(2, "big") for group in groups)
    assert ipv6_text(address) == str(ipaddress.IPv6Address(address))


@pytest.mark.parametrize(
    ("rtype", "text"),
    [
        ("A", "192.0.2.1"),
        ("AAAA", "2001:db8::1"),
        ("NS", "ns.example.com."),
        ("CNAME", "web.example.com."),
        ("PTR", "host.example.com."),
        ("DNAME", "example.net."),
        ("MX", "10 mail.example.com."),
        ("MX", "0 ."),
        ("TXT", '"v=spf1 -all" "a \\"b\\" \\\\ \\233"'),
        ("SPF", '"v=spf1 -all"'),
        ("HINFO", '"cpu" "os"'),
        ("SOA", "ns.example.com. host.example.com. 1 2 3 4 5"),
        ("SRV", "1 2 5060 sip.example.com."),
        ("CAA", '0 issue "ca.example.net; policy=x"'),
        ("NAPTR", '100 10 "U" "SIP+D2U" "!^.*$!sip:info@example.com!" .'),
        ("DS", "60485 5 1 " + "2b" * 20),
        ("SSHFP", "1 1 " + "ab" * 20),
        ("TLSA", "3 1 1 " + "cd" * 32),
        ("DNSKEY", "256 3 8 AwEAAag="),
        ("URI", '10 1 "https://example.com/x"'),
        ("RP", "admin.example.com. txt.example.com."),
        ("AFSDB", "1 afs.example.com."),
        ("TYPE65280", "\\# 2 abcd"),
    ],
)
def test_record_data_prints_as_the_oracle_prints_it_without_final_dots(rtype: str, text: str) -> None:
    wire = dns.rdata.from_text("IN", rtype, text).to_wire()
    assert wire is not None
    number = dns.rdatatype.from_text(rtype)
    printed = dns.rdata.from_wire("IN", number, wire, 0, len(wire)).to_text()
    assert present(wire, 0, len(wire), number) == " ".join(
        word[:-1] if word.endswith(".") and len(word) > 1 and word[0] != '"' else word for word in printed.split(" ")
    )


@given(st.sampled_from(sorted(TYPE_NAMES)), st.binary(max_size=60))
def test_any_record_data_prints_and_data_not_understood_can_be_read_back(rtype: int, data: bytes) -> None:
    text = present(data, 0, len(data), rtype)
    if text.startswith("\\#"):
        assert encode_data(rtype, text) == data


@given(st.binary(max_size=120))
def test_questions_agree_with_the_oracle(data: bytes) -> None:
    wire = b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + data
    try:
        oracle = dns.message.from_wire(wire, ignore_trailing=True)
    except dns.exception.DNSException:
        return
    (ours,) = decode(wire).questions
    (theirs,) = oracle.question
    assert (ours.qtype, ours.qclass) == (int(theirs.rdtype), int(theirs.rdclass))
    assert ours.name == theirs.name.to_text(omit_final_dot=True).lower().removesuffix(".")


@pytest.mark.parametrize("text", ["", "x y z", "\\# 3 ab", "\\# x", "1.2.3", "10 " + "a" * 64])
def test_text_that_is_no_record_data_is_refused(text: str) -> None:
    for rtype in (1, 15, 28, 6, 33, 99999):
        with pytest.raises(WireError):
            encode_data(rtype, text)


@pytest.mark.parametrize(
    "text", ["", "word", '"a', '"a" "b', '"a\\"', '"' + '\\"' * 1_000_000, '"a" ' * 3 + '"' + "b" * 256]
)
def test_character_strings_without_their_quotation_marks_are_refused_at_one_look(text: str) -> None:
    with pytest.raises(WireError):
        encode_data(16, text)


def test_character_strings_are_read_as_they_are_printed() -> None:
    assert encode_data(16, '"a b" "" "\\"\\\\"') == b'\3a b\0\2"\\'
