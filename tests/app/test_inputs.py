"""What cannot be read is told in one line that names the file and says what it is not, whatever was to be written."""

import gzip
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lapwing.app.exit_codes import ExitCode
from tests.app.conftest import Lapwing, start
from tests.app.logs import sshd_lines

OUTPUTS = ("table", "json", "ndjson", "csv", "eve", "zeek")
NOISE = bytes(range(255, 0, -1)) * 20
NEITHER = "neither a capture (pcap and pcapng are known) nor a log of a known format"


@pytest.fixture
def inputs(tmp_path: Path, calm: Path) -> Path:
    """A folder of files that are no good, by name."""
    folder = tmp_path / "in"
    folder.mkdir()
    data = calm.read_bytes()
    files = {
        "noise.bin": NOISE,
        "noise.gz": gzip.compress(NOISE),
        "empty.pcap": b"",
        "empty.gz": gzip.compress(b""),
        "prose.txt": b"nothing to see here\n",
        "magic.pcap": data[:4],
        "header.pcap": data[:20],
        "cut.pcap": data[:-3],
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "nothing").mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    return folder


def asked(output: str, folder: Path) -> tuple[str | Path, ...]:
    return ("-o", output, *(("--logdir", folder / "logs") if output == "zeek" else ()))


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("empty.pcap", "is empty"),
        ("empty.gz", "is empty"),
        ("magic.pcap", "offset 4: the pcap header is cut; it has 24 bytes"),
        ("header.pcap", "offset 20: the pcap header is cut; it has 24 bytes"),
        ("nothing", "no capture in this directory; pcap and pcapng are known, also as .gz and .zst"),
        ("absent.pcap", "cannot be opened: No such file or directory"),
        ("loop", "cannot be opened: Too many levels of symbolic links"),
        ("x" * 300, "cannot be opened: File name too long"),
        ("absent/in.pcap", "cannot be opened: No such file or directory"),
        ("*.none", "no file matches"),
    ],
)
def test_an_input_that_cannot_be_read_is_named_with_the_reason(
    lapwing: Lapwing, inputs: Path, name: str, what: str, output: str
) -> None:
    done = lapwing("read", inputs / name, *asked(output, inputs))
    assert (done.code, done.out) == (ExitCode.INPUT, "")
    assert done.err == f"lapwing: {inputs / name}: {what}\n"


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(
    ("name", "begin"), [("noise.bin", "fffefdfc"), ("noise.gz", "fffefdfc"), ("prose.txt", "6e6f7468")]
)
def test_a_file_of_something_else_is_no_capture_and_no_log(
    lapwing: Lapwing, inputs: Path, name: str, begin: str, output: str
) -> None:
    done = lapwing("read", inputs / name, *asked(output, inputs))
    what = f"offset 0: not a capture (it begins with {begin}); pcap and pcapng are known"
    if output != "zeek":  # logs could be meant, too
        what = f"{NEITHER}; name the format with --format, or describe its lines with --patterns"
    assert (done.code, done.out) == (ExitCode.INPUT, "")
    assert done.err == f"lapwing: {inputs / name}: {what}\n"


@pytest.mark.parametrize("option", [("-f", "tcp"), ("-c", "3"), ("--merge",), ("--dedup", "loopback")])
def test_options_about_packets_say_that_a_capture_was_meant(
    lapwing: Lapwing, inputs: Path, option: tuple[str, ...]
) -> None:
    done = lapwing("read", inputs / "noise.bin", *option)
    assert done.code == ExitCode.INPUT
    assert "not a capture (it begins with fffefdfc)" in done.err


def test_logs_are_no_capture_for_the_logs_of_another_program(lapwing: Lapwing, inputs: Path) -> None:
    (inputs / "auth.log").write_text("\n".join(sshd_lines()) + "\n")
    done = lapwing("read", inputs / "auth.log", inputs / "prose.txt", *asked("zeek", inputs))
    assert (done.code, done.err) == (ExitCode.USAGE, "lapwing: --logdir: about packets; these inputs are logs\n")


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_capture_that_is_cut_is_read_up_to_there(lapwing: Lapwing, inputs: Path, output: str) -> None:
    done = lapwing("read", inputs / "cut.pcap", *asked(output, inputs))
    assert done.code == ExitCode.PARTIAL
    told = done.out if output == "table" else done.err
    assert "the last record is cut" in " ".join(told.split())


NO_UTF8 = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize("output", ["ndjson", "json", "eve", "csv"])
def test_a_name_that_is_no_utf8_is_written_with_its_bytes(lapwing: Lapwing, inputs: Path, output: str) -> None:
    (inputs / NO_UTF8).write_bytes((inputs / "cut.pcap").read_bytes())
    (inputs / f"{NO_UTF8}.log").write_text("\n".join(sshd_lines()) + "\n")
    capture = lapwing("read", inputs / NO_UTF8, inputs / f"{NO_UTF8}.none", "--events", "all", "-o", output)
    log = lapwing("read", inputs / f"{NO_UTF8}.log", inputs / f"{NO_UTF8}.none", "--events", "all", "-o", output)
    for done, name in ((capture, r"caf\xe9"), (log, r"caf\xe9.log")):
        assert done.code == ExitCode.INPUT
        assert (name if output == "csv" else name.replace("\\", "\\\\")) in done.out
    assert "the last record is cut" in capture.err


@pytest.mark.parametrize("command", ["read", "flows", "sessions"])
def test_what_is_no_file_to_read_is_told(lapwing: Lapwing, tmp_path: Path, command: str) -> None:
    path = tmp_path / "ear"
    with socket.socket(socket.AF_UNIX) as ear:
        ear.bind(str(path)[:107])
        done = lapwing(command, path)
    assert (done.code, done.err) == (ExitCode.INPUT, f"lapwing: {path}: cannot be opened: No such device or address\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is locked to root")
@pytest.mark.parametrize("name", ["locked.pcap", "locked", "locked/in.pcap"])
def test_what_may_not_be_read_is_told(lapwing: Lapwing, inputs: Path, name: str) -> None:
    (inputs / "locked").mkdir(mode=0)
    (inputs / "locked.pcap").touch(mode=0)
    done = lapwing("read", inputs / name)
    (inputs / "locked").chmod(0o700)
    assert (done.code, done.out) == (ExitCode.INPUT, "")
    assert done.err == f"lapwing: {inputs / name}: cannot be opened: Permission denied\n"


@pytest.mark.parametrize("command", ["read", "flows", "sessions"])
def test_a_closed_standard_input_is_told(command: str) -> None:
    program = (
        f"import os, sys; os.close(0); os.execv(sys.executable, [sys.executable, '-m', 'lapwing', '{command}', '-'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == ExitCode.INPUT
    assert "lapwing: -: standard input is closed\n" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", [1, 2])
@pytest.mark.parametrize("command", ["read", "sessions"])
def test_an_output_that_is_closed_takes_nothing_and_the_other_no_more_than_its_own(
    inputs: Path, command: str, closed: int
) -> None:
    program = f"import os, sys; os.close({closed}); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    done = subprocess.run(
        [sys.executable, "-c", program, "-m", "lapwing", command, inputs / "noise.bin"],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == ExitCode.INPUT
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"ab", NEITHER),
        (b"\xd4\xc3", NEITHER),
        (b"\x1f\x8b", "the packed data is damaged in its first bytes"),
        (NOISE, NEITHER),
    ],
)
def test_a_pipe_with_little_or_nothing_in_it_is_told(data: bytes, what: str) -> None:
    process = start("read", "-", stdin=subprocess.PIPE)
    _, err = process.communicate(data, timeout=60)
    assert process.returncode == ExitCode.INPUT
    assert f"lapwing: -: {what}" in err.decode()
