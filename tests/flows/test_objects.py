from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import CloseReason, FlowKey, RoleEvidence, Transport
from lapwing.flows import KEY_DTYPE, RECORD_DTYPE, closed_events, flow_keys, opened_events
from lapwing.flows.text import address_text, community_id
from tests.flows.rows import ACK, PSH, Result, Trace

Track = Callable[..., Result]

PUBLISHED = [  # the baseline of the community-id-spec repository, default seed and encoding
    (6, "128.232.110.120", 34855, "66.35.250.204", 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (17, "192.168.1.52", 54585, "8.8.8.8", 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (1, "192.168.0.89", 8, "192.168.0.1", 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    (132, "192.168.170.8", 7, "192.168.170.56", 80, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="),
    (58, "fe80::200:86ff:fe05:80da", 135, "fe80::260:97ff:fe07:69ea", 136, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
    (6, "1.2.3.4", 1122, "5.6.7.8", 3344, "1:wCb3OG7yAFWelaUydu0D+125CLM="),
    (17, "1.2.3.4", 1122, "5.6.7.8", 3344, "1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg="),
]


@pytest.mark.parametrize(("protocol", "client", "client_port", "server", "server_port", "expected"), PUBLISHED)
def test_community_ids_are_the_published_ones_from_either_side(
    protocol: int, client: str, client_port: int, server: str, server_port: int, expected: str
) -> None:
    ends = []
    for address, port in ((client, client_port), (server, server_port)):
        number = int(ip_address(address))
        ends.append((number >> 64, number & (1 << 64) - 1, port))
    version = ip_address(client).version
    assert community_id(version, protocol, ends[0], ends[1]) == expected
    assert community_id(version, protocol, ends[1], ends[0]) == expected


@given(st.integers(0, 2**128 - 1) | st.integers(0, 2**48) | st.integers(0, 255).map(lambda n: n << 64))
def test_ipv6_text_is_the_recommended_one(number: int) -> None:
    text = address_text(6, number >> 64, number & (1 << 64) - 1)
    assert IPv6Address(text) == IPv6Address(number)
    if number >> 32 != 0xFFFF:
        assert text == str(IPv6Address(number))


def test_ipv4_mapped_addresses_show_their_ipv4_part() -> None:
    assert address_text(6, 0, 0xFFFF_C000_0201) == "::ffff:192.0.2.1"


def test_rows_become_events_with_the_words_of_the_vocabulary(track: Track) -> None:
    trace = Trace()
    trace.handshake()
    trace.tcp(0, PSH | ACK, 101, 501, b"hello")
    result = track(trace)
    (opened,) = opened_events(np.array(result.keys, KEY_DTYPE))
    (closed,) = closed_events(np.array(result.records, RECORD_DTYPE), [7])
    (key,) = flow_keys(np.array(result.keys, KEY_DTYPE))
    expected = FlowKey(1, "1:B7u5z0Lk7HtgOpTjiL9WRWpTwGQ=", Transport.TCP, "192.0.2.1", 4000, "198.51.100.1", 80)
    assert key == expected
    assert (opened.client_ip, opened.role_evidence, opened.ts_ns) == ("192.0.2.1", RoleEvidence.SYN, 1_001_000_000)
    assert (closed.ts_ns, closed.reason, closed.conn_state, closed.history) == (7, CloseReason.FLUSH, "S1", "ShAD")
    assert (closed.client_stream_bytes, closed.server_packet_count, closed.ip_protocol) == (5, 1, 6)
