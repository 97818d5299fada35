"""Which protocol a flow speaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import FlowKey, IdentifiedBy, Side, Transport
from lapwing.protocols import (
    DATAGRAM_PROTOCOLS,
    PROBE_BYTES,
    STREAM_PROTOCOLS,
    DatagramProtocol,
    FirstLook,
    Match,
    StreamIdentifier,
    StreamProtocol,
)
from lapwing.protocols.dns import DnsParser
from lapwing.protocols.http import HttpParser
from lapwing.protocols.identify import MAX_ASIDE_BYTES, MAX_UNDECIDED_BYTES
from lapwing.protocols.tls import TLS


def could_start(side_index: int, first_byte: int) -> bool:
    """False is final: whatever follows and whatever the port, the flow is hopeless."""
    return (
        FirstLook(STREAM_PROTOCOLS).stream((Side.CLIENT, Side.SERVER)[side_index], bytes((first_byte,)), 0) is not False
    )


KEY = FlowKey(1, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", Transport.UDP, "192.0.2.10", 40_000, "198.51.100.53", 53)
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def worded(name: str, yes: bytes, port: int) -> StreamProtocol:
    """A protocol that says YES to one word, MORE to its beginnings and to nothing else."""

    def probe(side: Side, head: bytes) -> Match:
        if head.startswith(yes):
            return Match.YES
        return Match.MORE if yes.startswith(head) else Match.NO

    return StreamProtocol(name, frozenset({port}), probe, lambda key: HttpParser())


ALPHA = worded("alpha", b"HELLO", 1)
BETA = worded("beta", b"HELLO THERE", 2)
GAMMA = worded("gamma", b"HE", 3)
ALL = (ALPHA, BETA, GAMMA)


def chosen(identifier: StreamIdentifier, data: bytes, sizes: list[int]) -> StreamProtocol | None:
    turn = 0
    while data:
        size = sizes[turn % len(sizes)]
        if (protocol := identifier.feed(Side.CLIENT, data[:size])) is not None or identifier.hopeless:
            return protocol
        data = data[size:]
        turn += 1
    return identifier.settle()


@pytest.mark.parametrize(
    ("port", "side", "data", "name"),
    [
        (8443, Side.CLIENT, b"GET / HTTP/1.1\r\n\r\n", "http"),
        (21, Side.CLIENT, b"POST /login HTTP/1.1\r\n\r\n", "http"),
        (80, Side.SERVER, b"220 files.example.com FTP server ready\r\n", "ftp"),
        (80, Side.SERVER, b"220 mail.example.com ESMTP\r\n", "smtp"),
        (80, Side.CLIENT, b"EHLO client.example.com\r\n", "smtp"),
    ],
)
def test_content_wins_over_port(port: int, side: Side, data: bytes, name: str) -> None:
    identifier = StreamIdentifier(port, FirstLook(STREAM_PROTOCOLS))
    protocol = identifier.feed(side, data)
    assert protocol is not None
    assert protocol.name == name
    assert identifier.evidence is IdentifiedBy.CONTENT


@pytest.mark.parametrize("port", [21, 22, 25, 80, 9999])
@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00\x63\x00\x01\xfc\x03\x03", b"\x00" * 64, b"{}{}{}{}{}\n"])
def test_content_of_no_known_protocol_is_hopeless_once_both_sides_spoke(port: int, data: bytes) -> None:
    identifier = StreamIdentifier(port, FirstLook(STREAM_PROTOCOLS))
    assert identifier.feed(Side.CLIENT, data) is None
    assert not identifier.hopeless
    assert identifier.feed(Side.SERVER, b"\x00") is None
    assert identifier.hopeless
    assert identifier.evidence is None


@pytest.mark.parametrize("garbage", [b"\x00\x01 GET / HTTP/1.1\r\n", b"GET\r\n", b"\x17\x03\x03" + b"\x00" * 64])
@pytest.mark.parametrize("port", [80, 9999])
@pytest.mark.parametrize("cut", [1, 3, 100])
def test_a_status_line_says_http_whatever_the_client_sent(port: int, garbage: bytes, cut: int) -> None:
    identifier = StreamIdentifier(port, FirstLook(STREAM_PROTOCOLS))
    for at in range(0, len(garbage), cut):
        assert identifier.feed(Side.CLIENT, garbage[at : at + cut]) is None
    found = [identifier.feed(Side.SERVER, bytes((byte,))) for byte in b"HTTP/1.1 200"]
    assert found == [None] * 11 + [next(one for one in STREAM_PROTOCOLS if one.name == "http")]
    assert identifier.evidence is IdentifiedBy.CONTENT


@pytest.mark.parametrize(
    ("greeting", "name"), [(b"+OK ready\r\n", "pop3"), (b"* OK ready\r\n", "imap"), (b"220 mail ESMTP\r\n", "smtp")]
)
@pytest.mark.parametrize("garbage", [b"\x00\x01\x02\r\n", b"a L250-OGIN \xff", b"GET / HTTP/1.1\r\n"])
def test_a_client_cannot_hide_from_the_greeting_of_its_server(greeting: bytes, name: str, garbage: bytes) -> None:
    identifier = StreamIdentifier(9999, FirstLook(STREAM_PROTOCOLS))
    found = identifier.feed(Side.SERVER, greeting) or identifier.feed(Side.CLIENT, garbage)
    assert found is not None
    assert found.name == name


def test_a_client_of_nothing_known_whose_server_is_silent_is_given_up() -> None:
    identifier = StreamIdentifier(80, FirstLook(STREAM_PROTOCOLS))
    fed = 0
    while not identifier.hopeless:
        assert identifier.feed(Side.CLIENT, b"\x00" * 100) is None
        fed += 100
        assert fed <= MAX_ASIDE_BYTES + 100


def test_the_port_decides_when_nothing_more_comes_and_content_allows_it() -> None:
    identifier = StreamIdentifier(21, FirstLook(STREAM_PROTOCOLS))
    assert identifier.feed(Side.SERVER, b"220 ready\r\n") is None
    protocol = identifier.settle()
    assert protocol is not None
    assert protocol.name == "ftp"
    assert identifier.evidence is IdentifiedBy.PORT


def test_ambiguous_content_off_its_port_is_hopeless_in_the_end() -> None:
    identifier = StreamIdentifier(9999, FirstLook(STREAM_PROTOCOLS))
    assert identifier.feed(Side.SERVER, b"220 ready\r\n") is None
    assert not identifier.hopeless
    assert identifier.settle() is None
    assert identifier.hopeless


@pytest.mark.parametrize(("port", "name"), [(110, "pop3"), (21, "ftp"), (9999, "ftp")])
@pytest.mark.parametrize("pieces", [[b"USER ana\r\nPASS x\r\n"], [b"USER ana\r\n", b"PASS x\r\n"]])
def test_a_login_seen_from_the_client_only_is_pop3_on_its_port(port: int, name: str, pieces: list[bytes]) -> None:
    identifier = StreamIdentifier(port, FirstLook(STREAM_PROTOCOLS))
    found = [protocol for protocol in (identifier.feed(Side.CLIENT, piece) for piece in pieces) if protocol]
    protocol = found[0] if found else identifier.settle()
    assert protocol is not None
    assert protocol.name == name


def test_ftp_on_the_port_of_pop3_is_told_by_its_server() -> None:
    identifier = StreamIdentifier(110, FirstLook(STREAM_PROTOCOLS))
    assert identifier.feed(Side.CLIENT, b"USER ana\r\n") is None
    protocol = identifier.feed(Side.SERVER, b"331 password\r\n")
    assert protocol is not None
    assert protocol.name == "ftp"


def test_a_flow_without_bytes_is_not_chosen_by_port() -> None:
    assert StreamIdentifier(80, FirstLook(STREAM_PROTOCOLS)).settle() is None


def test_the_other_side_settles_what_one_side_left_open() -> None:
    identifier = StreamIdentifier(9999, FirstLook(STREAM_PROTOCOLS))
    assert identifier.feed(Side.SERVER, b"220 ready\r\n") is None
    protocol = identifier.feed(Side.CLIENT, b"USER ana\r\n")
    assert protocol is not None
    assert protocol.name == "ftp"


@pytest.mark.parametrize("side", list(Side))
def test_what_is_undecided_stays_bounded(side: Side) -> None:
    endless = StreamProtocol("endless", frozenset({7}), lambda side, head: Match.MORE, lambda key: HttpParser())
    on_port, off_port = StreamIdentifier(7, FirstLook([endless])), StreamIdentifier(8, FirstLook([endless]))
    fed = 0
    while on_port.feed(side, b"x" * 1000) is None:
        off_port.feed(side, b"x" * 1000)
        fed += 1000
        assert fed <= MAX_UNDECIDED_BYTES
    off_port.feed(side, b"x" * 1000)
    assert (on_port.evidence, off_port.hopeless) == (IdentifiedBy.PORT, True)


def test_both_sides_shown_in_full_end_the_wait() -> None:
    endless = StreamProtocol("endless", frozenset({7}), lambda side, head: Match.MORE, lambda key: HttpParser())
    identifier = StreamIdentifier(7, FirstLook([endless]))
    assert identifier.feed(Side.CLIENT, b"x" * PROBE_BYTES) is None
    assert identifier.feed(Side.SERVER, b"x" * PROBE_BYTES) is endless


@pytest.mark.parametrize(
    ("port", "data", "protocol"),
    [
        (9, b"HELLO THERE", ALPHA),
        (2, b"HELLO THERE", BETA),
        (3, b"HELLO THERE", GAMMA),
        (2, b"HELLO YOU", ALPHA),
        (9, b"HELP", GAMMA),
        (9, b"HE", GAMMA),
        (2, b"HELL", GAMMA),
    ],
)
@given(sizes=SIZES)
def test_any_split_leads_to_the_same_choice(port: int, data: bytes, protocol: StreamProtocol, sizes: list[int]) -> None:
    assert chosen(StreamIdentifier(port, FirstLook(ALL)), data, sizes) is protocol


@given(st.lists(st.tuples(st.sampled_from(Side), st.binary(max_size=80)), max_size=10), st.sampled_from([21, 80, 9999]))
def test_any_bytes_are_identified_or_not_without_an_error(segments: list[tuple[Side, bytes]], port: int) -> None:
    identifier = StreamIdentifier(port, FirstLook(STREAM_PROTOCOLS))
    for side, data in segments:
        if identifier.feed(side, data) is not None or identifier.hopeless:
            break
    assert not (identifier.hopeless and identifier.evidence)


def test_a_datagram_is_identified_by_content_on_any_port() -> None:
    question = bytes.fromhex("000701000001000000000000 03777777076578616d706c6503636f6d00 00010001")
    elsewhere = FlowKey(1, "", Transport.UDP, "192.0.2.10", 40_000, "198.51.100.53", 9953)
    for key in (KEY, elsewhere):
        protocol = FirstLook((), DATAGRAM_PROTOCOLS).datagram(Side.CLIENT, question, key.server_port)
        assert protocol is not None
        assert protocol.name == "dns"
    assert FirstLook((), DATAGRAM_PROTOCOLS).datagram(Side.CLIENT, b"not a question", KEY.server_port) is None
    assert FirstLook((), DATAGRAM_PROTOCOLS).datagram(Side.CLIENT, b"", KEY.server_port) is None


def test_of_two_protocols_that_take_a_datagram_the_one_on_its_port_is_chosen() -> None:
    def always(name: str, port: int) -> DatagramProtocol:
        return DatagramProtocol(name, frozenset({port}), lambda side, datagram: Match.YES, DnsParser)

    first, on_port = always("first", 1), always("on_port", 53)
    assert FirstLook((), [first, on_port]).datagram(Side.CLIENT, b"x", KEY.server_port) is on_port
    assert FirstLook((), [first, always("other", 2)]).datagram(Side.CLIENT, b"x", KEY.server_port) is first


@pytest.mark.parametrize("protocol", STREAM_PROTOCOLS, ids=lambda protocol: protocol.name)
def test_first_bytes_declared_are_those_the_probe_goes_on_with(protocol: StreamProtocol) -> None:
    for side, starts in zip(Side, protocol.starts, strict=True):
        going_on = {byte for byte in range(256) if protocol.probe(side, bytes((byte,))) is not Match.NO}
        assert set(starts) == going_on


@given(st.sampled_from([0, 1]), st.binary(min_size=1, max_size=80), st.sampled_from([21, 22, 25, 80, 443]))
def test_what_could_not_start_is_hopeless_whatever_follows(side_index: int, data: bytes, port: int) -> None:
    side = (Side.CLIENT, Side.SERVER)[side_index]
    identifier = StreamIdentifier(port, FirstLook(STREAM_PROTOCOLS))
    identifier.feed(side, data)
    if not could_start(side_index, data[0]):
        assert identifier.hopeless
    assert all(
        protocol.probe(side, data) is Match.NO or could_start(side_index, data[0]) for protocol in STREAM_PROTOCOLS
    )


def test_bytes_that_begin_nothing_are_given_up_at_once() -> None:
    assert not could_start(1, 0x80)
    assert not could_start(1, 0x7F)
    assert could_start(0, 0x17)  # a server may answer it in HTTP
    assert could_start(1, ord("2"))


OPENINGS = [
    b"GET / HT",
    b"220 files FTP\r\n",
    b"220 ready\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"\x15\x03\x01\x00\x02\x02",
    b"SSH-2.0",
]


@given(
    st.sampled_from(Side),
    st.one_of(
        st.binary(min_size=1, max_size=80), st.sampled_from(OPENINGS), st.sampled_from([b"HELLO THERE", b"HELP"])
    ),
    st.sampled_from([2, 3, 21, 443, 9999]),
    st.sampled_from([STREAM_PROTOCOLS, (*ALL, *STREAM_PROTOCOLS)]),
)
def test_a_first_look_says_what_the_identifier_would(
    side: Side, data: bytes, port: int, protocols: tuple[StreamProtocol, ...]
) -> None:
    first_look = FirstLook(protocols)
    identifier = StreamIdentifier(port, first_look)
    chosen_first = identifier.feed(side, data)
    assert first_look.stream(side, data, port) is (chosen_first or not identifier.hopeless)


@pytest.mark.parametrize("protocol", DATAGRAM_PROTOCOLS, ids=lambda protocol: protocol.name)
@given(
    side=st.sampled_from(Side), first=st.integers(0, 255), rest=st.one_of(st.binary(max_size=80), st.just(bytes(1300)))
)
def test_a_datagram_that_begins_otherwise_than_declared_is_refused(
    protocol: DatagramProtocol, side: Side, first: int, rest: bytes
) -> None:
    assert first in protocol.starts or protocol.probe(side, bytes((first,)) + rest) is Match.NO


@given(st.sampled_from(Side), st.binary(max_size=12))
def test_tls_is_told_at_one_glance_as_byte_by_byte(side: Side, tail: bytes) -> None:
    by_bytes = [(0x16,), (3,), range(5), range(0x49), range(256), (1 if side is Side.CLIENT else 2,)]
    head = b"\x16\x03" + tail
    if head[0] == 0x16 and len(head) > 5:
        fits = all(byte in allowed for byte, allowed in zip(head, by_bytes, strict=False))
        assert TLS.probe(side, head) is (Match.YES if fits else Match.NO)


WORDS = [b"GET ", b"/ HTTP/1.1", b"HTTP/1.1 200", b"USER a", b"220 ", b"ESMTP", b"EHLO a", b"* OK", b"+OK", b"a LOGIN"]
WORDS += [b"SSH-2.0-", b"\x16\x03\x01\x00\x05", b"0\x0c\x02\x01\x01"]
WORDS += [b" ", b"\r\n", b"\n", b"\x00", b"\x17", b"!", b'"', b"\xff", b"x" * 30]


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("protocol", STREAM_PROTOCOLS, ids=lambda protocol: protocol.name)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(b"".join))
def test_what_a_probe_has_said_stays_said(side: Side, protocol: StreamProtocol, data: bytes) -> None:
    said = [protocol.probe(side, data[:end]) for end in range(1, min(len(data), PROBE_BYTES) + 1)]
    final = next((match for match in said if match is not Match.MORE), Match.MORE)
    undecided = said.index(final)
    assert set(said[undecided:]) == {final}
