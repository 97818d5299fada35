from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapwing.events import SettingsError
from lapwing.io.capture import bpf, open_capture
from lapwing.testing import PcapngWriter, TimedFrame, pcap
from lapwing.wire.filter import compile_filter
from tests.wire.test_filter import FRAMES, MEANINGS, matched

needs_libpcap = pytest.mark.skipif(not bpf.libpcap_is_present(), reason="libpcap is not installed")
TIMED = [TimedFrame(number, frame) for number, frame in enumerate(FRAMES.values())]


@pytest.fixture
def without_libpcap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpf, "_libpcap", lambda: None)


@needs_libpcap
@pytest.mark.parametrize("text", [text for text, _ in MEANINGS])
def test_the_built_in_compiler_matches_what_libpcap_matches(text: str) -> None:
    assert matched(compile_filter(text, 1), FRAMES) == matched(bpf.compile_expression(text, 1), FRAMES)


PRIMITIVES = [text for text, _ in MEANINGS if " or " not in text and " and " not in text and "vlan" not in text]
expressions = st.recursive(
    st.sampled_from(PRIMITIVES),
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, st.sampled_from(["and", "or", "&&", "||"]), inner).map("({0[0]}) {0[1]} ({0[2]})".format),
    ),
    max_leaves=6,
)


@needs_libpcap
@given(expressions, st.sampled_from([1, 101, 113, 276]))
def test_both_compilers_agree_on_combinations_and_link_types(text: str, link_type: int) -> None:
    heads = {1: b"", 101: b"", 113: bytes(14), 276: b""}
    frames = {}
    for name, frame in FRAMES.items():
        head = frame[12:14] + bytes(18) if link_type == 276 else heads[link_type] + frame[12:14]
        frames[name] = frame if link_type == 1 else frame[14:] if link_type == 101 else head + frame[14:]
    ours = matched(compile_filter(text, link_type), frames, link_type)
    assert ours == matched(bpf.compile_expression(text, link_type), frames, link_type)


@needs_libpcap
def test_a_network_asked_for_twice_still_matches() -> None:
    text = "net 2001:db8::/40 and net 2001:db8::/40"
    assert matched(bpf.compile_expression(text, 1), FRAMES) == {"web6", "ping6", "fragment6"}


@pytest.mark.parametrize("text", ["tcp port", "host 300.1.1.1", "(tcp", "nonsense ~"])
def test_a_wrong_expression_is_refused_before_anything_is_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(pcap(TIMED))
    with pytest.raises(SettingsError, match="filter: ") as caught:
        open_capture(tmp_path / "a.pcap", filter=text)
    assert repr(text) in str(caught.value)


@pytest.mark.usefixtures("without_libpcap")
def test_without_libpcap_the_error_names_the_column_and_says_what_would_help() -> None:
    with pytest.raises(SettingsError, match=r"expected an address, found 'example.com' at column 6.*libpcap is not"):
        bpf.compile_expression("host example.com", 1)


@pytest.mark.usefixtures("without_libpcap")
def test_a_filter_works_on_files_without_libpcap(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(pcap(TIMED))
    with open_capture(tmp_path / "a.pcap", filter="udp or icmp") as source:
        batch = source.next_batch()
        assert batch is not None
        assert batch.packets["protocol"][: batch.count].tolist() == [17, 1, 17, 17]
        counters = source.statistics()
    assert (counters["packets"], counters["filtered_packets"]) == (4, len(TIMED) - 4)


@pytest.mark.usefixtures("without_libpcap")
def test_a_filter_is_compiled_for_every_link_type_met_and_what_it_cannot_judge_is_reported(tmp_path: Path) -> None:
    writer = PcapngWriter().section().interface().interface(link_type=101).interface(link_type=9)
    for interface, cut in ((0, 0), (1, 14), (2, 14)):
        writer.enhanced(TimedFrame(0, FRAMES["web"][cut:]), interface=interface)
    (tmp_path / "a.pcapng").write_bytes(writer.getvalue())
    with open_capture(tmp_path / "a.pcapng", filter="tcp port 80") as source:
        batch = source.next_batch()
        assert batch is not None
        assert batch.packets["link_type"][: batch.count].tolist() == [1, 101]
        assert source.next_batch() is None
        (damage,) = source.damage
    assert damage.kind == "capture.filter_link_type"
    assert "link type 9" in damage.detail
