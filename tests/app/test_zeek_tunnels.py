"""`tunnel.log`, and the tunnels that `conn.log` names."""

from pathlib import Path

import lapwing
from lapwing.app.zeek import FAMILIES, ZeekLogs
from lapwing.flows import FlowSettings
from lapwing.sessions import PipelineSettings
from lapwing.testing import START_NS, TimedFrame, ethernet, ip, pcap, udp
from tests.conformance.zeek_logs import Row, rows
from tests.wire.tunnel_frames import INNER4, INNER_A, INNER_B, OUTER_A, OUTER_B, VXLAN, gre, over_udp

SECOND = 1_000_000_000


def logs_of(folder: Path, frames: list[bytes], depth: int = 4) -> dict[str, list[Row]]:
    path, logs = folder / "in.pcap", folder / "logs"
    timed = [TimedFrame(START_NS + number * SECOND, frame) for number, frame in enumerate(frames)]
    path.write_bytes(pcap(timed, nanoseconds=True))
    settings = PipelineSettings(flows=FlowSettings(tunnel_depth=depth))
    with ZeekLogs(logs) as writer, lapwing.read(path, settings=settings, events=FAMILIES) as reading:
        for events in reading.lists():
            writer.write(events)
    return {one.stem: rows(one) for one in logs.iterdir()}


def test_a_tunnel_is_found_once_and_closed_when_it_is_a_connection(tmp_path: Path) -> None:
    other = ip(INNER_A, INNER_B, 17, udp(41_000, 53, b"x"))
    frames = [ethernet(over_udp(4_789, VXLAN + ethernet(inner))) for inner in (INNER4, other, INNER4)]
    logs = logs_of(tmp_path, frames)
    assert [(row["tunnel_type"], row["action"]) for row in logs["tunnel"]] == [
        ("Tunnel::VXLAN", "Tunnel::DISCOVER"),
        ("Tunnel::VXLAN", "Tunnel::CLOSE"),
    ]
    found, closed = logs["tunnel"]
    ends = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
    assert [found[name] for name in ends] == [OUTER_A, "50000", OUTER_B, "4789"]
    assert float(closed["ts"] or 0) - float(found["ts"] or 0) == 2
    assert {row["tunnel_parents"] for row in logs["conn"]} == {found["uid"]} == {closed["uid"]}


def test_of_tunnels_in_tunnels_the_nearest_is_the_parent_and_each_has_its_row(tmp_path: Path) -> None:
    logs = logs_of(tmp_path, [ethernet(over_udp(4_789, VXLAN + ethernet(gre(0x0800, INNER4))))])
    types = {row["uid"]: row["tunnel_type"] for row in logs["tunnel"]}
    assert sorted(types.values(), key=str) == ["Tunnel::GRE", "Tunnel::VXLAN"]
    (row,) = logs["conn"]
    assert types[row["tunnel_parents"]] == "Tunnel::GRE"


def test_the_two_directions_may_have_tunnels_of_their_own(tmp_path: Path) -> None:
    answer = ip(INNER_B, INNER_A, 17, udp(9_999, 40_000, b"x"))
    back = ethernet(ip(OUTER_B, OUTER_A, 17, udp(51_000, 4_789, VXLAN + ethernet(answer))))
    logs = logs_of(tmp_path, [ethernet(over_udp(4_789, VXLAN + ethernet(INNER4))), back])
    (row,) = logs["conn"]
    found = [one["uid"] for one in logs["tunnel"] if one["action"] == "Tunnel::DISCOVER"]
    assert (row["tunnel_parents"] or "").split(",") == found
    assert len(set(found)) == 2


def test_flows_outside_of_tunnels_name_none(tmp_path: Path) -> None:
    logs = logs_of(tmp_path, [ethernet(INNER4)])
    assert "tunnel" not in logs
    assert logs["conn"][0]["tunnel_parents"] is None


def test_connections_are_those_inside_or_where_nobody_looks_inside_the_carriers(tmp_path: Path) -> None:
    frames = [ethernet(over_udp(4_789, VXLAN + ethernet(INNER4)))] * 3
    ends = ("id.orig_h", "id.resp_h", "id.resp_p", "orig_pkts", "orig_ip_bytes")
    inside, around = tmp_path / "inside", tmp_path / "around"
    for folder in (inside, around):
        folder.mkdir()
    (row,) = logs_of(inside, frames)["conn"]
    assert [row[name] for name in ends] == [INNER_A, INNER_B, "9999", "3", str(3 * len(INNER4))]
    (row,) = logs_of(around, frames, depth=0)["conn"]
    outer = len(ethernet(INNER4)) + len(VXLAN) + 8 + 20
    assert [row[name] for name in ends] == [OUTER_A, OUTER_B, "4789", "3", str(3 * outer)]
