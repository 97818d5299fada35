"""Puts the Python peers of the `bench` extra into an environment of their own."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INSTALL_TIMEOUT_S = 300


def requirements() -> dict[str, str]:
    """The peers of the `bench` extra: requirement by import name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {line.split(">")[0]: line for line in project["optional-dependencies"]["bench"]}


def install_peers(folder: Path) -> tuple[Path, dict[str, str]]:
    """The environment's interpreter, and for every peer that cannot be used the reason."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    missing = {}
    for name, requirement in requirements().items():
        if _importable(python, name):
            continue
        print(f"installing {requirement} into {folder}", flush=True)
        reason = _install(python, requirement)
        if reason or not _importable(python, name):
            missing[name] = reason or "installed, but cannot be imported"
    return python, missing


def version_of(python: Path, name: str) -> str:
    """The installed version of a peer."""
    code = f"from importlib.metadata import version; print(version({name!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def _importable(python: Path, name: str) -> bool:
    return subprocess.run([python, "-c", f"import {name}"], capture_output=True).returncode == 0


def _install(python: Path, requirement: str) -> str:
    constraints = ROOT / "constraints.txt"
    command: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--retries",
        "1",
        "-c",
        constraints,
        requirement,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return f"installation took longer than {INSTALL_TIMEOUT_S} s"
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["installation failed"])[-1]
