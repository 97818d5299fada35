"""Builds sdist and wheel, installs the wheel into an empty environment and tries the installed copy.

Twice: as released, and built without a C compiler, where the plain loops must serve and say so. The environment gets
exactly the declared dependencies, linked from the one this runs in, so nothing is fetched and nothing undeclared helps.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

BUILD_TIMEOUT_S = 900
TRY_TIMEOUT_S = 300
TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"
COMPILED_MODULES = sorted(
    ".".join(path.relative_to("src").with_suffix("").parts)
    for path in Path("src/lapwing").rglob("*.py")
    if path.name.startswith("hot") or path.with_suffix(".pxd").exists()
)


def run(
    *command: str | Path, env: dict[str, str] | None = None, timeout: int = TRY_TIMEOUT_S, cwd: Path | None = None
) -> str:
    """Run a command without input, return its two outputs as one text. Exits with that text when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        env=env,
        cwd=cwd,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(str(part) for part in command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def declared(name: str, seen: set[str]) -> Iterator[metadata.Distribution]:
    """The distributions `name` declares to need, and what those need, without extras."""
    for requirement in metadata.distribution(name).requires or []:
        if "extra ==" in requirement:
            continue
        found = re.match(r"[A-Za-z0-9._-]+", requirement)
        if found is None or found.group().lower() in seen:
            continue
        seen.add(found.group().lower())
        try:
            distribution = metadata.distribution(found.group())
        except metadata.PackageNotFoundError:
            continue  # needed on other platforms or versions only
        yield distribution
        yield from declared(found.group(), seen)


def link_dependencies(site: Path) -> None:
    """Make the declared dependencies importable from `site`."""
    for distribution in declared("lapwing", set()):
        tops = {file.parts[0] for file in distribution.files or [] if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            target = site / top
            if not target.exists():
                target.symlink_to(Path(str(distribution.locate_file(top))).resolve())


def empty_environment(folder: Path) -> Path:
    """A new environment with the declared dependencies and nothing else; its bin folder."""
    venv.create(folder, with_pip=False, symlinks=True)
    tag = f"python{sys.version_info.major}.{sys.version_info.minor}"
    link_dependencies(folder / "lib" / tag / "site-packages")
    return folder / "bin"


def build(out: Path, source: Path, kind: str, env: dict[str, str] | None = None) -> Path:
    """Build one distribution of `source` into `out` and return its file."""
    run(
        sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", out, source,
        env=env, timeout=BUILD_TIMEOUT_S,
    )  # fmt: skip
    return next(path for path in out.iterdir() if path.suffix == (".whl" if kind == "wheel" else ".gz"))


def install(wheel: Path, folder: Path) -> Path:
    """Install `wheel` into a new empty environment; its bin folder."""
    binaries = empty_environment(folder)
    pip = [sys.executable, "-m", "pip", "--python", str(binaries / "python"), "install", "--quiet"]
    run(*pip, "--no-index", "--no-deps", wheel)
    return binaries


def check_tag(wheel: Path) -> None:
    """A wheel serves the version of Python that built it, so its tag must say so."""
    if f"-{TAG}-{TAG}-" not in wheel.name:
        sys.exit(f"{wheel.name} is no wheel for {TAG}")


def compiled_modules(binaries: Path, cwd: Path) -> list[str]:
    """Which of the modules to be compiled the installed copy has compiled."""
    script = (
        "import importlib.util as u, sys\n"
        "specs = {name: u.find_spec(name) for name in sys.argv[1:]}\n"
        "print(*[n for n, s in specs.items() if s and s.origin and not s.origin.endswith('.py')])"
    )
    return run(binaries / "python", "-c", script, *COMPILED_MODULES, cwd=cwd).split()


def smoke(binaries: Path, cwd: Path, *, compiled: bool) -> None:
    """Try the installed copy from a folder that has no sources in it."""
    env = {**os.environ, "NO_COLOR": "1"}
    env.pop("PYTHONPATH", None)
    version = run(binaries / "lapwing", "--version", cwd=cwd, env=env)
    have = compiled_modules(binaries, cwd)
    if compiled != (have == COMPILED_MODULES and bool(have)) or (not compiled and have):
        sys.exit(f"compiled modules in the installed copy: {have}, of {COMPILED_MODULES}")
    doctor = run(binaries / "lapwing", "doctor", cwd=cwd, env=env)
    demo = run(binaries / "lapwing", "demo", cwd=cwd, env=env)
    if not compiled and ("slow" not in doctor.lower() or "slow" not in demo.lower()):
        sys.exit("without compiled loops, doctor and demo must say that they are slow")
    print(f"  {version.strip()}: {'compiled' if compiled else 'plain'} loops, doctor and demo pass")


def main() -> int:
    """Build, install, try. Exits with the reason when something does not hold."""
    with tempfile.TemporaryDirectory(prefix="lapwing-packaging-") as name:
        scratch = Path(name)
        sdist = build(scratch / "sdist", Path(), "sdist")
        shutil.unpack_archive(sdist, scratch / "source", filter="data")
        source = next((scratch / "source").iterdir())
        print(f"{sdist.name}: {sdist.stat().st_size:,} bytes")
        for compiled, out in ((True, scratch / "wheel"), (False, scratch / "plain")):
            env = None if compiled else {**os.environ, "CC": "no-such-compiler", "CXX": "no-such-compiler"}
            shutil.rmtree(source / "build", ignore_errors=True)
            wheel = build(out, source, "wheel", env)
            check_tag(wheel)
            print(f"{wheel.name}: {wheel.stat().st_size:,} bytes, {sysconfig.get_platform()}")
            (out / "elsewhere").mkdir()
            smoke(install(wheel, out / "environment"), out / "elsewhere", compiled=compiled)
    return 0


if __name__ == "__main__":
    sys.exit(main())
