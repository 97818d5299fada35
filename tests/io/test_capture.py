import gzip
from pathlib import Path

import pytest
import zstandard

from lapwing.events import SourceError
from lapwing.io.capture import open_capture
from lapwing.testing import TcpConversation, pcap, pcapng

TALK = TcpConversation().handshake().client(b"x" * 5000).server(b"y" * 300_000).close()


def everything(path: Path) -> tuple[list[tuple[int, bytes]], dict[str, int]]:
    found = []
    with open_capture(path) as source:
        while batch := source.next_batch():
            rows = batch.packets[: batch.count]
            for ts_ns, offset, size in rows[["ts_ns", "frame_off", "captured"]].tolist():
                found.append((ts_ns, bytes(batch.buffer[offset : offset + size])))
        return found, source.statistics()


@pytest.mark.parametrize("build", [pcap, pcapng])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_capture_reads_the_same_whatever_its_format_and_packing(build, pack, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "named-like-nothing"
    path.write_bytes(pack(build(TALK.frames)))
    found, counters = everything(path)
    assert found == [(timed.ts_ns, timed.frame) for timed in TALK.frames]
    assert counters["ok"] == counters["packets"] == len(TALK.frames)
    assert counters["wire_bytes"] == sum(len(timed.frame) for timed in TALK.frames)


def test_an_empty_file_is_an_error_naming_it(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    path.touch()
    with pytest.raises(SourceError, match="empty.pcap: is empty"):
        open_capture(path)
