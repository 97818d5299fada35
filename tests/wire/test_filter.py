import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.testing import ethernet, icmp_frame, ip, ipv4, ipv6, sctp, tcp_frame, udp, udp_frame
from lapwing.wire import COMPILED, PACKET_DTYPE, plain_bpf
from lapwing.wire.filter import FilterError, Instruction, compile_filter, program_of
from lapwing.wire.filter.expression import Both, Either, Not, Port, parse
from lapwing.wire.filter.program import ARITHMETIC, CONDITIONS, OTHERS

if COMPILED:
    from lapwing.wire import hot_bpf
else:  # pragma: no cover
    hot_bpf = plain_bpf  # type: ignore[misc, unused-ignore]

A, B, A6, B6 = "192.0.2.1", "198.51.100.2", "2001:db8::1", "2001:db8:ffff::2"
FRAMES = {
    "web": tcp_frame(A, 40000, B, 80, b"x"),
    "web6": tcp_frame(A6, 40000, B6, 80, b"x"),
    "dns": udp_frame(B, 53, A, 5353),
    "ping": icmp_frame(A, B, 8),
    "ping6": icmp_frame(A6, B6, 128),
    "sctp": ethernet(ip(A, B, 132, sctp(80, 9))),
    "tagged": tcp_frame(A, 40000, B, 80, vlans=(5,)),
    "fragment": ethernet(ipv4(A, B, 17, udp(80, 80), flags_and_offset=1)),
    "fragment6": ethernet(ipv6(A6, B6, 6, bytes(20), extensions=[(44, bytes(6))])),
    "arp": ethernet(bytes(14) + bytes([192, 0, 2, 1]) + bytes(6) + bytes([198, 51, 100, 2]), 0x0806),
    "long": udp_frame(A, 1, B, 2, bytes(500)),
}
EVERY = set(FRAMES)
IP4 = {"web", "dns", "ping", "sctp", "fragment", "long"}


def matched(program, frames: dict[str, bytes], link_type: int = 1) -> set[str]:  # type: ignore[no-untyped-def]
    """The frames a program wants; both interpreters must agree."""
    data = b"".join(frames.values())
    rows = np.zeros(len(frames), PACKET_DTYPE)
    rows["captured"] = rows["wire_bytes"] = [len(frame) for frame in frames.values()]
    rows["frame_off"] = np.cumsum(rows["captured"]) - rows["captured"]
    rows["link_type"] = link_type
    results = []
    for build in (plain_bpf, hot_bpf):
        keep = np.full(len(frames), 7, np.uint8)
        build.match_rows(program, data, rows, len(frames), link_type, keep)
        results.append(keep.tolist())
    assert results[0] == results[1]
    assert set(results[0]) <= {0, 1}
    return {name for name, wanted in zip(frames, results[0], strict=True) if wanted}


MEANINGS = [
    ("ip", IP4),
    ("ip6", {"web6", "ping6", "fragment6"}),
    ("tcp", {"web", "web6", "fragment6"}),
    ("udp", {"dns", "fragment", "long"}),
    ("icmp", {"ping"}),
    ("icmp6", {"ping6"}),
    ("sctp", {"sctp"}),
    ("arp", {"arp"}),
    (f"host {A}", IP4 | {"arp"}),
    (f"src host {A}", (IP4 | {"arp"}) - {"dns"}),
    (f"dst {A}", {"dns"}),
    (f"src or dst host {A}", IP4 | {"arp"}),
    (f"src and dst host {A}", set()),
    (f"ip host {A}", IP4),
    (f"host {A6}", {"web6", "ping6", "fragment6"}),
    ("net 192.0.2.0/24", IP4 | {"arp"}),
    ("dst net 198.51.100", (IP4 | {"arp"}) - {"dns"}),
    ("net 10", set()),
    ("net 2001:db8::/40", {"web6", "ping6", "fragment6"}),
    ("dst net 2001:db8::/36", set()),
    ("port 80", {"web", "web6", "sctp"}),
    ("tcp port 80", {"web", "web6"}),
    ("tcp dst port 80", {"web", "web6"}),
    ("src port 80", {"sctp"}),
    ("udp portrange 5000-6000", {"dns"}),
    ("port 53 or 80", {"web", "web6", "sctp", "dns"}),
    ("vlan", {"tagged"}),
    ("vlan 5", {"tagged"}),
    ("vlan 6", set()),
    ("vlan 5 and tcp port 80", {"tagged"}),
    ("tcp or vlan and tcp", {"tagged"}),
    ("greater 500", {"long"}),
    ("less 500", EVERY - {"long"}),
    ("not ip", EVERY - IP4),
    (f"tcp and not (port 80 && host {A})", {"web6", "fragment6"}),
    ("!tcp and !udp && ! icmp and not arp and not vlan", {"ping6", "sctp"}),
]


@pytest.mark.parametrize(("text", "wanted"), MEANINGS)
def test_an_expression_keeps_what_it_says(text: str, wanted: set[str]) -> None:
    assert matched(compile_filter(text, 1), FRAMES) == wanted


@pytest.mark.parametrize(
    ("link", "head", "head6"),
    [
        (101, b"", b""),
        (0, b"\2\0\0\0", b"\x18\0\0\0"),
        (0, b"\0\0\0\2", b"\0\0\0\x1e"),
        (113, bytes(14) + b"\x08\0", bytes(14) + b"\x86\xdd"),
        (276, b"\x08\0" + bytes(18), b"\x86\xdd" + bytes(18)),
    ],
)
def test_an_expression_means_the_same_on_every_link_type(link: int, head: bytes, head6: bytes) -> None:
    frames = {name: (head6 if name.endswith("6") else head) + frame[14:] for name, frame in FRAMES.items()}
    frames = {name: frame for name, frame in frames.items() if name not in {"arp", "tagged"}}
    for text, wanted in MEANINGS:
        if "vlan" not in text and "less" not in text and "greater" not in text:
            assert matched(compile_filter(text, link), frames, link) == wanted & set(frames), text


def test_a_packet_too_short_for_a_test_does_not_match() -> None:
    assert matched(compile_filter("tcp port 80", 1), {"cut": FRAMES["web"][:35]}) == set()


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 1, "found the end"),
        ("tcp port", 9, "number from 0 to 65535"),
        ("tcp port http", 10, "'http'"),
        ("port 70000", 6, "number from 0 to 65535"),
        ("portrange 5", 11, "8000-8080"),
        ("host example.com", 6, "an address"),
        ("host 192.0.2.0/24", 6, "an address"),
        ("net 192.0.2.1/24", 5, "without host bits"),
        ("tcp and", 8, "found the end"),
        ("(tcp", 5, "')'"),
        ("tcp) or udp", 4, "'and', 'or' or the end"),
        ("tcp udp", 5, "'and', 'or' or the end"),
        ("icmp port 5", 11, "icmp has no ports"),
        ("ip6 host 192.0.2.1", 10, "do not go together"),
        ("tcp host 192.0.2.1", 10, "do not go together"),
        ("ether proto 5", 1, "expected a filter"),
        ("tcp | udp", 5, "unexpected '|'"),
        ("not " * 60 + "tcp", 205, "nested deeper"),
        ("vlan", 1, "carries no VLAN"),
    ],
)
def test_what_cannot_be_compiled_is_named_with_its_column(text: str, position: int, words: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text, 101 if text == "vlan" else 1)
    assert words in str(caught.value)
    assert caught.value.position == position


def test_and_and_or_bind_alike_from_the_left() -> None:
    port = [Port(number, number, "either", "") for number in (1, 2, 3)]
    assert parse("port 1 or port 2 and port 3") == Both(Either(port[0], port[1]), port[2])
    assert parse("port 1 and not 2 or 3") == Either(Both(port[0], Not(port[1])), port[2])


def test_an_expression_too_long_for_short_jumps_is_refused() -> None:
    with pytest.raises(FilterError, match="too long"):
        compile_filter(" or ".join(f"port {number}" for number in range(60)), 1)


@pytest.mark.parametrize(
    "program",
    [
        [],
        [Instruction(0x28, 0, 0, 12)],
        [Instruction(0x05, 0, 0, 1), Instruction(0x06, 0, 0, 0)],
        [Instruction(0x05, 0, 0, 0xFFFFFFFF), Instruction(0x06, 0, 0, 0)],
        [Instruction(0x15, 0, 1, 0), Instruction(0x06, 0, 0, 0)],
        [Instruction(0x60, 0, 0, 16), Instruction(0x06, 0, 0, 0)],
        [Instruction(0xFF, 0, 0, 0), Instruction(0x06, 0, 0, 0)],
        [Instruction(0x06, 0, 0, 0)] * 4097,
    ],
)
def test_a_program_that_might_not_end_or_leave_its_bounds_is_refused(program: list[Instruction]) -> None:
    with pytest.raises(ValueError, match="program"):
        program_of(program)


@st.composite
def programs(draw: st.DrawFn) -> list[Instruction]:
    numbers = st.one_of(st.integers(0, 70), st.integers(0, 2**32 - 1))
    size, program = draw(st.integers(1, 12)), []
    for left in range(size, 0, -1):
        code = draw(
            st.sampled_from(sorted(CONDITIONS | ARITHMETIC | OTHERS | {0x05, 0x60, 0x61, 0x02, 0x03, 0x06, 0x16}))
        )
        jumps = st.integers(0, left - 1)
        k = draw(st.integers(0, 15) if code in {0x60, 0x61, 0x02, 0x03} else jumps if code == 0x05 else numbers)
        program.append(Instruction(code, draw(jumps), draw(jumps), k))
    return [*program, Instruction(draw(st.sampled_from([0x06, 0x16])), 0, 0, draw(st.integers(0, 1)))]


@given(programs())
def test_both_interpreters_give_the_same_for_any_program(program: list[Instruction]) -> None:
    matched(program_of(program), FRAMES)
