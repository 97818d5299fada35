"""A served guard answers whatever it cannot write meanwhile: a guard that ends shuts everybody out."""

import re
import shutil
from pathlib import Path

from lapwing.app.exit_codes import ExitCode

from .logs import ATTACKER
from .test_reloading import WAIT_S, attack, refused, running

OTHER = "203.0.113.77"


def test_lists_and_positions_that_cannot_be_written_end_no_guard(tmp_path: Path) -> None:
    log, lists = tmp_path / "access.log", tmp_path / "lists"
    log.touch()
    lists.mkdir()
    places = ("--deny-file", lists / "deny", "--positions", lists / "positions")
    options = ("--listen", "127.0.0.1:0", "--events", "decision", "-o", "ndjson")
    with running("guard", "serve", log, *places, *options) as (process, line_with):
        found = re.search(r"listening on (\S+)", line_with("listening on"))
        assert found is not None
        shutil.rmtree(lists)
        assert "No such file or directory" in line_with(f"lapwing: {lists / 'positions'}: cannot be written")
        attack(log, ATTACKER)
        assert "No such file or directory" in line_with(f"lapwing: decisions: {lists / 'deny'}: cannot be written")
        while not refused(found[1], ATTACKER):
            pass
        lists.mkdir()
        attack(log, OTHER)
        while not (lists / "deny").exists() or OTHER not in (lists / "deny").read_text():
            assert process.poll() is None
        process.terminate()
        assert process.wait(WAIT_S) == ExitCode.PARTIAL
    assert (lists / "positions").exists()
