"""`lapwing read`: what it writes, where, and how it ends."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lapwing.app.exit_codes import ExitCode
from lapwing.events import decode
from tests.app.conftest import Lapwing, heard, start
from tests.app.traffic import guessing_at
from tests.patience import ENOUGH_S


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_piped_output_is_ndjson_of_the_vocabulary(lapwing: Lapwing, guessing: Path) -> None:
    done = lapwing("read", guessing)
    events = [decode(line) for line in done.out.splitlines()]
    tags = [line["event_type"] for line in lines(done.out)]
    assert len(events) == len(tags)
    assert tags.count("auth.resolved") == 30
    assert "finding.raised" in tags
    assert {str(tag).partition(".")[0] for tag in tags} <= {"auth", "finding", "decision", "anomaly"}
    assert [line["seq"] for line in lines(done.out)] == sorted(line["seq"] for line in lines(done.out))  # type: ignore[type-var]


def test_guessing_is_one_finding_of_thirty_failed_logins(lapwing: Lapwing, guessing: Path) -> None:
    events = lines(lapwing("read", guessing).out)
    assert {event["outcome"] for event in events if event["event_type"] == "auth.resolved"} == {"failed"}
    found = {(event["finding_id"], event["finding"]) for event in events if "finding_id" in event and "risk" in event}
    assert [kind for _, kind in found] == ["password-guessing"]


def test_no_password_of_the_capture_is_in_any_output(lapwing: Lapwing, guessing: Path) -> None:
    for output in ("ndjson", "json", "csv", "eve", "table"):
        assert "swordfish" not in lapwing("read", guessing, "-o", output, "--events", "all").out


def test_a_table_can_be_asked_for_when_piped(lapwing: Lapwing, guessing: Path) -> None:
    done = lapwing("read", guessing, "-o", "table")
    assert "password-guessing" in done.out
    assert "http" in done.out
    assert "\x1b" not in done.out


@pytest.mark.parametrize(("level", "code"), [("info", ExitCode.FINDINGS), ("critical", ExitCode.CLEAN)])
def test_fail_on_ends_with_one_only_at_that_severity(lapwing: Lapwing, guessing: Path, level: str, code: int) -> None:
    assert lapwing("read", guessing, "--fail-on", level).code == code


def test_a_clean_capture_ends_with_zero_whatever_fail_on_says(lapwing: Lapwing, calm: Path) -> None:
    assert lapwing("read", calm, "--fail-on", "info").code == ExitCode.CLEAN


def test_the_same_file_can_be_named_the_way_tcpdump_does(lapwing: Lapwing, calm: Path) -> None:
    assert len(lines(lapwing("read", "-n", "-r", calm).out)) == len(lines(lapwing("read", calm).out))


def test_count_stops_after_that_many_packets(lapwing: Lapwing, guessing: Path) -> None:
    assert lapwing("read", guessing, "-c", "3").out == ""


def test_families_choose_what_is_written(lapwing: Lapwing, calm: Path) -> None:
    tags = {str(line["event_type"]) for line in lines(lapwing("read", calm, "--events", "flow,sensor").out)}
    assert tags == {"flow.opened", "flow.established", "flow.closed", "sensor.started", "sensor.ended"}
    done = lapwing("read", calm, "--events", "flows")
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert "flow" in done.err


def test_a_folder_and_a_glob_are_read_as_their_captures(lapwing: Lapwing, calm: Path, guessing: Path) -> None:
    both = len(lines(lapwing("read", calm, guessing).out))
    assert len(lines(lapwing("read", calm.parent).out)) == both
    assert len(lines(lapwing("read", calm.parent / "*.pcap").out)) == both


def test_a_capture_can_come_through_a_pipe(guessing: Path, lapwing: Lapwing) -> None:
    with guessing.open("rb") as capture:
        process = start("read", "-", stdin=capture.fileno())
        out, _ = process.communicate(timeout=ENOUGH_S)
    assert process.returncode == 0
    assert len(out.splitlines()) == len(lapwing("read", guessing).out.splitlines())


def test_a_damaged_capture_is_read_as_far_as_it_goes(lapwing: Lapwing, guessing: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(guessing.read_bytes()[:-10])
    done = lapwing("read", cut)
    assert done.code == ExitCode.PARTIAL
    assert sum(line["event_type"] == "auth.resolved" for line in lines(done.out)) >= 29
    assert done.err.startswith(f"lapwing: {cut} at byte ")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 5, b"not a capture at all, just some text", bytes(range(256)) * 4, b"\xd4\xc3\xb2\xa1\x02"],
)
def test_what_is_no_capture_is_one_line_naming_the_file(lapwing: Lapwing, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "odd.pcap"
    file.write_bytes(content)
    done = lapwing("read", file)
    assert (done.code, done.out) == (ExitCode.INPUT, "")
    assert str(file) in done.err
    assert done.err.count("\n") == 1


def test_a_missing_file_and_an_empty_folder_are_one_line_each(lapwing: Lapwing, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.pcap", tmp_path):
        done = lapwing("read", path)
        assert (done.code, done.err.count("\n")) == (ExitCode.INPUT, 1)
        assert str(path) in done.err


def test_one_unreadable_capture_among_others_does_not_hide_them(
    lapwing: Lapwing, guessing: Path, tmp_path: Path
) -> None:
    done = lapwing("read", tmp_path / "missing.pcap", guessing)
    assert done.code == ExitCode.INPUT
    assert sum(line["event_type"] == "auth.resolved" for line in lines(done.out)) == 30
    assert str(tmp_path / "missing.pcap") in done.err


def test_no_input_is_a_usage_error(lapwing: Lapwing) -> None:
    assert lapwing("read").code == ExitCode.USAGE


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    process = start("read", guessing_at(tmp_path / "many.pcap", 400), "--events", "all")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(100)
    process.stdout.close()
    assert process.wait(timeout=ENOUGH_S) == ExitCode.PIPE_CLOSED
    assert heard(process.stderr.read().decode()) == ""
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_one_line(guessing: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = start("read", guessing, stdout=full.fileno())
        _, err = process.communicate(timeout=ENOUGH_S)
    assert process.returncode == ExitCode.INPUT
    assert "No space left on device" in heard(err.decode())
    assert heard(err.decode()).count("\n") == 1


def test_ctrl_c_prints_what_had_been_seen(guessing: Path) -> None:
    process = start("read", "-", "-o", "table", stdin=subprocess.PIPE)
    assert process.stdin is not None
    capture = guessing.read_bytes()
    process.stdin.write(capture[:-200])
    process.stdin.flush()
    wait_until_reading(process)
    process.send_signal(signal.SIGINT)
    process.stdin.close()
    process.stdin = None
    out, err = process.communicate(timeout=ENOUGH_S)
    assert process.returncode == ExitCode.INTERRUPTED
    assert b"Findings" in out
    assert heard(err.decode()).count("\n") == 1


def wait_until_reading(process: "subprocess.Popen[bytes]") -> None:
    """Until the handler of the program is in place: it is when its pipe has been emptied."""
    import fcntl
    import struct
    import termios

    assert process.stdin is not None
    while process.poll() is None:
        waiting = struct.unpack("i", fcntl.ioctl(process.stdin.fileno(), termios.FIONREAD, b"\0\0\0\0"))[0]
        if not waiting:
            return


def test_help_appears_without_loading_what_commands_need() -> None:
    script = (
        "import sys; sys.argv = ['lapwing', '--help']\n"
        "from lapwing.app.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('loaded', [name for name in ('numpy', 'msgspec', 'rich.console', 'asyncio') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded []"


@pytest.mark.parametrize("more", [(), ("--rotate-size", "64KiB")])
def test_what_is_read_is_never_written_over(lapwing: Lapwing, guessing: Path, more: tuple[str, ...]) -> None:
    series = guessing.with_name("day-00002.pcap")
    series.hardlink_to(guessing)
    before = guessing.read_bytes()
    target = guessing.with_name("day.pcap") if more else guessing
    done = lapwing("read", series, "-w", target, *more)
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert "would overwrite" in done.err
    assert guessing.read_bytes() == before


def test_packets_are_kept_for_their_owner_alone(lapwing: Lapwing, guessing: Path) -> None:
    kept = guessing.with_name("kept.pcap")
    assert lapwing("read", guessing, "-w", kept).code == ExitCode.CLEAN
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_store_of_decoys_that_is_not_there_is_told_not_made(lapwing: Lapwing, calm: Path) -> None:
    store = calm.with_name("mistyped.db")
    done = lapwing("read", calm, "--decoys", store)
    assert (done.code, done.out) == (ExitCode.INPUT, "")
    assert f"{store}: no such store" in done.err
    assert not store.exists()
