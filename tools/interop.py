"""Builds the real interactsh client and server from their public Go module into build/interop, for `make interop`.

Two generations: the last with CFB and the current one. And Pebble, an ACME authority made to be tested with. Where
there is no Go, or no module proxy to be reached, it exits with 0 and says so: the tests are skipped then, and say why.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

MODULE = "github.com/projectdiscovery/interactsh"
VERSIONS = ("1.2.4", "1.3.1")
PROGRAMS = ("interactsh-client", "interactsh-server")
FOLDER = Path("build/interop")
BUILD_TIMEOUT_S = 1_800
PEBBLE = "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1"


def main() -> int:
    """Build what is not there yet."""
    go = shutil.which("go")
    if go is None:
        print("interop: no Go toolchain here")
        return 0
    _install(go, PEBBLE)
    for version in VERSIONS:
        place = (FOLDER / version).resolve()
        if all((place / program).exists() for program in PROGRAMS):
            continue
        place.mkdir(parents=True, exist_ok=True)
        (place / "go.mod").write_text(f"module interop\n\ngo 1.23\n\nrequire {MODULE} v{version}\n")
        imports = "\n".join(f'import _ "{MODULE}/cmd/{program}"' for program in PROGRAMS)
        (place / "tools.go").write_text(f"//go:build tools\n\npackage interop\n\n{imports}\n")
        for program in PROGRAMS:
            if not _build(go, place, program):
                print(f"interop: {program} {version} could not be built: no module proxy?")
                return 0
    return 0


def _install(go: str, program: str) -> None:
    """A program that needs no changes to its versions."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "pebble").exists():
        environment = {**os.environ, "GOFLAGS": "", "GOBIN": str(FOLDER.resolve())}
        done = subprocess.run([go, "install", program], env=environment, timeout=BUILD_TIMEOUT_S, check=False)
        if done.returncode:
            print(f"interop: {program} could not be built: no module proxy?")


def _build(go: str, place: Path, program: str) -> bool:
    command = [go, "build", "-mod=mod", "-buildvcs=false", "-o", program, f"{MODULE}/cmd/{program}"]
    done = subprocess.run(
        command,
        cwd=place,
        env={**os.environ, "GOFLAGS": ""},
        timeout=BUILD_TIMEOUT_S,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stderr[-2_000:], file=sys.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
