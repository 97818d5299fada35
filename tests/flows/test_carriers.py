"""Flows of tunnels are those inside, and their records say what they came in."""

from collections.abc import Iterable
from pathlib import Path

import pytest

import lapwing
from lapwing.app.shapes import csv_row
from lapwing.events import AnomalySeen, Carrier, FlowClosed, FlowOpened
from lapwing.flows import FlowSettings, carriers
from lapwing.flows.carriers import Carriers
from lapwing.testing import START_NS, TimedFrame, ethernet, ip, pcap, tcp, udp
from lapwing.wire.layout import MAX_TUNNEL_DEPTH
from tests.wire.tunnel_frames import (
    INNER4,
    INNER_A,
    INNER_A6,
    INNER_B,
    OUTER_A,
    OUTER_B,
    TUNNELS,
    VXLAN,
    gre,
    nested,
    over_udp,
)

KINDS = {
    "gre": "gre", "erspan": "gre", "pptp": "gre", "ip": "ip", "6in4": "ip", "4in6": "ip", "vxlan": "vxlan",
    "geneve": "geneve", "gtp": "gtp-u", "teredo": "teredo", "l2tp": "l2tp",
}  # fmt: skip
BETWEEN = {
    "vlan": ethernet(INNER4, vlans=(7,)),
    "qinq": ethernet(INNER4, vlans=(100, 7)),
    "mpls": ethernet(bytes.fromhex("0001004000011140") + INNER4, 0x8847),
    "pppoe": ethernet(b"\x11\0\0\x2a\0\0\0\x21" + INNER4, 0x8864),
}


def capture(folder: Path, frames: Iterable[bytes]) -> Path:
    path = folder / "in.pcap"
    timed = [TimedFrame(START_NS + number * 1_000_000, frame) for number, frame in enumerate(frames)]
    path.write_bytes(pcap(timed, nanoseconds=True))
    return path


def flows_of(path: Path, **settings: object) -> list[FlowClosed]:
    return list(lapwing.flows(path, settings=FlowSettings(**settings)))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", TUNNELS)
def test_a_flow_in_each_kind_of_tunnel_is_recorded_with_its_carrier(tmp_path: Path, kind: str) -> None:
    path = capture(tmp_path, [ethernet(TUNNELS[kind])] * 3)
    (flow,) = flows_of(path)
    assert (flow.client_ip in (INNER_A, INNER_A6), flow.client_port, flow.client_packet_count) == (True, 40_000, 3)
    (carrier,) = flow.client_carriers
    assert carrier.kind == KINDS[kind.split()[0]]
    assert flow.server_carriers == ()
    opened = [event for event in lapwing.read(path, events=("flow",)) if isinstance(event, FlowOpened)]
    assert [event.carriers for event in opened] == [(carrier,)]


@pytest.mark.parametrize("kind", BETWEEN)
def test_what_stands_between_ethernet_and_ip_is_no_tunnel(tmp_path: Path, kind: str) -> None:
    (flow,) = flows_of(capture(tmp_path, [BETWEEN[kind]]))
    assert (flow.client_ip, flow.server_ip, flow.client_carriers) == (INNER_A, INNER_B, ())
    expected = {"vlan": (7, 0), "qinq": (7, 100)}.get(kind, (0, 0))
    assert (flow.vlan_id, flow.outer_vlan_id) == expected


def test_a_tunnel_says_how_many_flows_it_carried(tmp_path: Path) -> None:
    def inner(port: int) -> bytes:
        return ip(INNER_A, INNER_B, 17, udp(port, 53, b"x"))

    inside = [ethernet(over_udp(4_789, VXLAN + ethernet(inner(1_000 + number % 5)))) for number in range(20)]
    other = [ethernet(gre(0x0800, inner(9)))]
    with lapwing.flows(capture(tmp_path, [*inside, *other, ethernet(inner(8))])) as reading:
        assert len(list(reading)) == 7
        assert reading.tunnels() == {f"vxlan {OUTER_A} > {OUTER_B} #42": 5, f"gre {OUTER_A} > {OUTER_B}": 1}
        assert reading.statistics()["flows.carriers"] == 2


def test_the_tunnels_of_both_directions_are_told(tmp_path: Path) -> None:
    def gtp(teid: int, packet: bytes, sender: str, receiver: str) -> bytes:
        head = b"\x30\xff" + len(packet).to_bytes(2, "big") + teid.to_bytes(4, "big")
        return ethernet(ip(sender, receiver, 17, udp(2_152, 2_152, head + packet)))

    there, back = ip(INNER_A, INNER_B, 6, tcp(4_000, 80, flags=2)), ip(INNER_B, INNER_A, 6, tcp(80, 4_000, flags=18))
    path = capture(tmp_path, [gtp(17, there, OUTER_A, OUTER_B), gtp(18, back, OUTER_B, OUTER_A)])
    (flow,) = flows_of(path)
    assert [(one.client_ip, one.number) for one in flow.client_carriers] == [(OUTER_A, 17)]
    assert [(one.client_ip, one.number) for one in flow.server_carriers] == [(OUTER_B, 18)]
    assert flow.client_carriers[0].community_id == flow.server_carriers[0].community_id


def test_tunnels_in_tunnels_are_told_from_the_outermost_to_the_limit(tmp_path: Path) -> None:
    (flow,) = flows_of(capture(tmp_path, [ethernet(nested(MAX_TUNNEL_DEPTH))]))
    assert flow.client_ip == INNER_A
    assert [one.kind for one in flow.client_carriers] == ["ip"] * MAX_TUNNEL_DEPTH
    mixed = ethernet(over_udp(4_789, VXLAN + ethernet(gre(0x0800, INNER4))))
    (flow,) = flows_of(capture(tmp_path, [mixed]))
    assert [(one.kind, one.number) for one in flow.client_carriers] == [("vxlan", 42), ("gre", 0)]


def test_a_tunnel_too_many_is_a_flow_of_the_last_carrier_and_counted(tmp_path: Path) -> None:
    path = capture(tmp_path, [ethernet(nested(MAX_TUNNEL_DEPTH + 1))] * 3)
    with lapwing.flows(path) as reading:
        (flow,) = reading
        assert (flow.client_ip, flow.ip_protocol) == (OUTER_A, 4)
        assert reading.statistics()["capture.tunnels_too_deep"] == 3
    told = [event for event in lapwing.read(path) if isinstance(event, AnomalySeen)]
    assert [(event.kind, event.count) for event in told] == [("wire.tunnel_too_deep", 3)]


def test_with_no_tunnel_looked_into_nothing_is_too_deep(tmp_path: Path) -> None:
    with lapwing.flows(capture(tmp_path, [ethernet(nested(2))]), settings=FlowSettings(tunnel_depth=0)) as reading:
        (flow,) = reading
        assert (flow.client_ip, flow.client_carriers) == (OUTER_A, ())
        assert reading.statistics()["capture.tunnels_too_deep"] == 0


def test_cells_name_the_carrier_too(tmp_path: Path) -> None:
    (flow,) = flows_of(capture(tmp_path, [ethernet(over_udp(4_789, VXLAN + ethernet(TUNNELS["6in4"])))]))
    cells = csv_row(flow, ("client_carriers", "server_carriers"))
    assert cells == [f"vxlan {OUTER_A} > {OUTER_B} #42 / ip {OUTER_A} > {OUTER_B}", ""]


def test_columns_name_the_carrier_so_that_flows_can_be_grouped_by_it(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    inner6 = ethernet(over_udp(4_789, VXLAN + ethernet(TUNNELS["6in4"])))
    table = lapwing.flows(capture(tmp_path, [ethernet(TUNNELS["vxlan"]), inner6])).to_arrow()
    words = f"vxlan {OUTER_A} > {OUTER_B} #42"
    assert sorted(table["client_carriers"].to_pylist()) == [words, f"{words} / ip {OUTER_A} > {OUTER_B}"]
    assert table["server_carriers"].to_pylist() == ["", ""]


def vxlan_from(port: int) -> bytes:
    return ethernet(ip(OUTER_A, OUTER_B, 17, udp(port, 4_789, VXLAN + ethernet(INNER4))))


def test_carriers_are_bounded_first_without_ports_that_are_hashes_then_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriers, "MAX_CARRIERS", 2)
    known = Carriers()
    numbers = [known.number(vxlan_from(port), 1, 1, opens=True) for port in (1_000, 2_000, 3_000, 4_000, 1_000)]
    assert numbers == [1, 2, 3, 3, 1]
    others = [ethernet(ip(OUTER_A, f"192.0.2.{host}", 4, INNER4)) for host in (10, 11, 12)]
    assert [known.number(frame, 1, 1, opens=True) for frame in others] == [4, 4, 4]
    assert known.shared_count == 2
    assert len(known) == 4
    assert sum(known.flow_counts().values()) == 8


def test_a_frame_that_shows_no_carrier_has_none() -> None:
    known = Carriers()
    assert known.number(INNER4, 228, 1, opens=True) == 0
    assert known.chain(0) == ()
    assert known.words(0) == ""
    assert known.flow_counts() == {}


def test_both_directions_of_a_tunnel_are_one_carrier() -> None:
    known = Carriers()
    there = known.number(ethernet(gre(0x0800, INNER4)), 1, 1, opens=True)
    back = known.number(ethernet(ip(OUTER_B, OUTER_A, 47, b"\0\0\x08\0" + INNER4)), 1, 1, opens=True)
    assert there == back
    (carrier,) = known.chain(there)
    assert isinstance(carrier, Carrier)
    assert (carrier.client_ip, carrier.server_ip) == (OUTER_A, OUTER_B)
