"""The command line as a whole: its help, its errors, and how the program ends."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from lapwing.app.cli import app
from lapwing.app.exit_codes import ExitCode
from tests.app.conftest import Lapwing, heard, start
from tests.patience import ENOUGH_S

PYTHON_WORDS = re.compile(r"<(str|path|float|int)\b|list\[|range>")  # types, where a user's word should stand


def paths(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group of the program."""
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from paths(inner, (*path, name))


COMMANDS = list(paths(get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_speaks_of_files_and_numbers_not_of_types(
    lapwing: Lapwing, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = lapwing(*path, "--help")
    assert done.code == 0
    assert done.out.startswith("Usage: ")
    assert PYTHON_WORDS.search(done.out) is None


@pytest.mark.parametrize("path", [one for one in COMMANDS if len(one) < 2], ids=" ".join)
def test_what_a_command_does_fits_into_its_line(
    lapwing: Lapwing, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    listed = lapwing(*path, "--help").out.partition("\nCommands:\n")[2]
    assert [line for line in listed.splitlines() if not line.endswith(".")] == []


def test_what_people_need_first_comes_first() -> None:
    assert [path[0] for path in COMMANDS if len(path) == 1][:3] == ["read", "watch", "flows"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("raed", "x.pcap"), "Did you mean 'read'?"),
        (("read", "--fial-on", "high", "x.pcap"), "--fail-on"),
        (("read", "--fail-on", "enormous", "x.pcap"), "'--fail-on': 'enormous' is not one of 'info'"),
        (("sessions", "-o", "parquet", "x.pcap"), "lapwing flows"),
        (("token", "list", "-o", "eve"), "'eve' is not one of table, ndjson here."),
        (("read", "-o", "xml", "x.pcap"), "'xml' is not one of table, ndjson, json, csv, eve, zeek here."),
        (("flows", "-o", "xml", "x.pcap"), "'xml' is not one of table, ndjson, json, csv, eve, parquet here."),
        (("sessions", "-o", "", "x.pcap"), "'' is not one of table, ndjson, json, csv, eve here."),
        (("config", "show", "-o", "csv"), "'csv' is not one of table, json, ndjson"),
    ],
)
def test_a_slip_is_told_with_what_would_be_right(lapwing: Lapwing, arguments: tuple[str, ...], words: str) -> None:
    done = lapwing(*arguments)
    assert done.code == ExitCode.USAGE
    assert words in done.err


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("flows", "x.pcap", "--to", "x.parquet"), "--to"),
        (("flows", "x.pcap", "--user", "nobody"), "--user"),
        (("flows", "x.pcap", "-i", "lo"), "-i"),
        (("watch", "x.log", "--fanout", "0"), "--fanout"),
        (("watch", "x.log", "-w", "x.pcap"), "-w"),
        (("watch", "-i", "lo", "--positions", "x"), "--positions"),
        (("read", "x.pcap", "-w", "y.pcap", "--after", "1m"), "--after"),
        (("read", "x.pcap", "-w", "-"), "-w"),
        (("read", "x.pcap", "-w", "nowhere/y.pcap"), "-w"),
        (("read", "x.pcap", "-w", "."), "-w"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(lapwing: Lapwing, arguments: tuple[str, ...], option: str) -> None:
    done = lapwing(*arguments)
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert option in done.err
    assert done.err.count("\n") == 1


def test_options_about_packets_are_refused_for_logs(lapwing: Lapwing, tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_text("Jan 12 08:00:01 host sshd[1]: Failed password for root from 203.0.113.5 port 4000 ssh2\n")
    done = lapwing("read", log, "--merge", "--keep", "3")
    assert done.code == ExitCode.USAGE
    assert "--merge, --keep: about packets; these inputs are logs" in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("token", "kinds"), ("schema",), ("demo",)])
def test_a_full_disk_is_one_line_whatever_was_to_be_written(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        process = start(*arguments, stdout=full.fileno())
        _, err = process.communicate(timeout=ENOUGH_S)
    assert process.returncode == ExitCode.INPUT
    assert "No space left on device" in heard(err.decode())
    assert heard(err.decode()).count("\n") == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [("token kinds", ExitCode.CLEAN), ("read nowhere.pcap -o ndjson", ExitCode.INPUT), ("read -", ExitCode.INPUT)],
)
def test_streams_that_are_closed_are_as_the_null_device(arguments: str, code: ExitCode, closed: str) -> None:
    done = subprocess.run(
        f"exec {shlex.quote(sys.executable)} -m lapwing {arguments} {closed}",
        shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "descriptor" not in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("logs", "formats"), ("doctor",), ("demo",)])
def test_tables_end_quietly_when_nobody_reads_them(arguments: tuple[str, ...]) -> None:
    process = start(*arguments)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=ENOUGH_S)
    assert process.returncode == ExitCode.PIPE_CLOSED
    assert heard(err.decode()) == ""


def test_ctrl_c_while_the_program_is_loaded_is_quiet() -> None:
    script = (
        "import sys, signal, os\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job begins without
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from lapwing.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=ENOUGH_S)
    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.INTERRUPTED, "", "")


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        ("sqlalchemy", ("token", "list"), "collector"),
        ("sqlalchemy", ("read", "x.pcap", "--decoys", "x.db"), "collector"),
        ("alembic", ("callbacks", "serve", "--domain", "oast.example.com"), "collector"),
        ("h2", ("callbacks", "serve", "--domain", "oast.example.com"), "collector"),
        ("httpx2", ("callbacks", "mint", "--session-file", "s"), "callbacks"),
        ("segno", ("token", "create", "qr-code", "--domain", "oast.example.com", "-o", "x.svg"), "callbacks"),
        ("pyarrow", ("flows", "x.pcap", "-o", "parquet"), "columns"),
    ],
)
def test_an_extra_that_is_missing_is_named(
    tmp_path: Path, calm: Path, missing: str, arguments: tuple[str, ...], extra: str
) -> None:
    calm.rename(tmp_path / "x.pcap")
    (tmp_path / "x.db").touch()
    script = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['lapwing', *{list(arguments)!r}]\n"
        "from lapwing.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=ENOUGH_S, cwd=tmp_path, check=False
    )
    assert done.returncode == ExitCode.USAGE, done.stderr
    assert f"pip install 'lapwing[{extra}]'" in done.stderr
    assert missing in done.stderr
    assert done.stderr.count("\n") == 1
