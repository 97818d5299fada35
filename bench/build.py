"""Compiles the C programs."""

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
FLAGS = ("-O3", "-std=gnu11", "-Wall", "-Wextra", "-Werror")
PROGRAMS = ("cwalk", "ctracker", "clogins", "dnsload")


def build_programs(folder: Path) -> dict[str, Path]:
    """The programs by name, compiled into `folder`; raises FileNotFoundError without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise FileNotFoundError("no C compiler (cc) found")
    folder.mkdir(parents=True, exist_ok=True)
    programs = {name: folder / name for name in PROGRAMS}
    for name, program in programs.items():
        subprocess.run([compiler, *FLAGS, "-o", program, HERE / f"{name}.c", "-lm"], check=True)
    return programs
