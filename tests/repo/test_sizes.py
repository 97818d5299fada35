"""The size report sees what is too long."""

from pathlib import Path

from tools.sizes import HARD_FILE_LINES, HARD_FUNCTION_LINES, report


def write(root: Path, name: str, text: str) -> None:
    path = root / "src" / "lapwing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_file_past_the_hard_limit_fails(tmp_path: Path) -> None:
    write(tmp_path, "long.py", "x = 1\n" * (HARD_FILE_LINES + 1))
    files, functions, count, lines = report(tmp_path)
    assert [item.hard for item in files] == [True]
    assert (functions, count, lines) == ([], 1, HARD_FILE_LINES + 1)


def test_a_long_function_fails_except_in_a_compiled_loop(tmp_path: Path) -> None:
    body = "def f():\n" + "    x = 1\n" * HARD_FUNCTION_LINES
    write(tmp_path, "a.py", body)
    write(tmp_path, "flows/hot.py", body)
    _, functions, _, _ = report(tmp_path)
    assert [item.hard for item in functions] == [True, False]
