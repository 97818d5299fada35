"""Every code block of the documentation runs, and does what the page says.

`python` blocks are executed, each by itself. `console` blocks hold commands after `$ ` and what they
print: each line shown must occur in the output, in that order; `...` stands for anything, and numbers that depend on
the machine are written so. `toml` blocks are checked as settings, `json` blocks are parsed as events, `sh` blocks
name make targets that exist. The blocks run in a folder that holds `capture.pcap`, the demo capture, and `lapwing.db`,
a store in which nothing is planted yet.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from lapwing.app.configuration import load
from lapwing.demo import capture_path
from lapwing.events import decode
from tests.patience import ENOUGH_S

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
BLOCK = re.compile(r"^( *)```([a-z]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
PROSE = ("", "text", "mermaid")  # trees and diagrams


class Block(NamedTuple):
    page: Path
    line: int
    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        indent = match[1]
        body = "".join(line.removeprefix(indent) for line in match[3].splitlines(keepends=True))
        yield Block(page.relative_to(ROOT), text.count("\n", 0, match.start()) + 1, match[2], body)


ALL = [block for page in PAGES for block in blocks(page)]


def of(*languages: str) -> pytest.MarkDecorator:
    chosen = [block for block in ALL if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=[f"{one.page}:{one.line}" for one in chosen])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "capture.pcap").symlink_to(capture_path())
    (tmp_path / "lapwing.db").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str, folder: Path) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("LAPWING_")}
    env |= {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}", "NO_COLOR": "1", "HOME": str(folder)}
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=ENOUGH_S,
        check=False,
    )
    return done.stdout.decode("utf-8")


def as_pattern(shown: str) -> re.Pattern[str]:
    words = [re.escape(word).replace(re.escape("..."), ".*") for word in shown.split()]
    return re.compile(r"\s*" + r"\s+".join(words) + r"\s*")


def missing_line(shown: list[str], printed: list[str]) -> str | None:
    """The first shown line that does not occur in what was printed, after the one before it."""
    position = 0
    for line in shown:
        if not line.strip() or line.strip() == "...":
            continue
        pattern = as_pattern(line)
        found = next((at for at in range(position, len(printed)) if pattern.fullmatch(printed[at])), None)
        if found is None:
            return line
        position = found + 1
    return None


def steps(text: str) -> Iterator[tuple[str, list[str]]]:
    command, shown = "", list[str]()
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line[2:], []
        else:
            shown.append(line)
    yield command, shown


@of("python")
def test_python_examples_run(block: Block, folder: Path) -> None:
    exec(compile(block.text, f"{block.page}:{block.line}", "exec"), {"__name__": "__main__"})


@of("console")
def test_commands_print_what_the_page_shows(block: Block, folder: Path) -> None:
    for command, shown in steps(block.text):
        assert command, "a console block begins with `$ `"
        printed = run(command, folder).splitlines()
        line = missing_line(shown, printed)
        assert line is None, f"`{command}` does not print\n{line}\nbut\n" + "\n".join(printed[:80])


@of("toml")
def test_settings_examples_are_valid(block: Block, folder: Path) -> None:
    file = folder / "lapwing.toml"
    file.write_text(block.text)
    assert [entry for entry in load(file, {}).entries if entry.origin != "default"]


@of("json")
def test_json_examples_are_events_of_the_vocabulary(block: Block) -> None:
    for line in block.text.splitlines():
        decode(line)


@of("sh")
def test_make_targets_named_in_the_pages_exist(block: Block) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"^make ([a-z-]+)", block.text, re.MULTILINE)
    assert set(named) <= targets


def test_no_block_is_of_a_kind_that_nothing_checks() -> None:
    known = {"python", "console", "toml", "json", "sh", *PROSE}
    assert [f"{one.page}:{one.line} {one.language}" for one in ALL if one.language not in known] == []
    assert {"python", "console", "toml"} <= {one.language for one in ALL}


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_runner_notices_output_that_is_not_there() -> None:
    assert missing_line(["b", "a"], ["a", "b"]) == "a"
    assert missing_line(["x  ... z", "...", "q"], ["x y z", "other", "q"]) is None
    assert shutil.which("sh")
