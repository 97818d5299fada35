"""A store of each kind. PostgreSQL is a server of our own on loopback, started when the first test asks for it."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from lapwing.io.store import Store, StoreSettings
from tests.patience import ENOUGH_S
from tests.ports import free_port

USER = "lapwing"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def program(name: str) -> str | None:
    """On the path, or where Debian keeps servers' programs."""
    return shutil.which(name) or next(map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a running server without its database."""
    programs = {name: program(name) for name in ("initdb", "postgres", "createdb", "pg_isready")}
    missing = [name for name, path in programs.items() if path is None]
    if missing:
        pytest.skip(f"PostgreSQL is not here: no {', '.join(missing)}")
    user = _unprivileged()
    folder = Path(mkdtemp(prefix="lapwing-pg-"))
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    port = free_port()
    options = ["--auth=trust", f"--username={USER}", "--no-sync", "--encoding=UTF8", "--no-locale"]
    subprocess.run(
        [str(programs["initdb"]), *options, "-D", folder / "data"], check=True, user=user, capture_output=True, cwd="/"
    )
    server = subprocess.Popen(
        [
            str(programs["postgres"]), "-D", folder / "data", "-k", folder, "-p", str(port),
            "-c", "listen_addresses=127.0.0.1", "-c", "log_min_messages=fatal",
        ],
        user=user, cwd="/", stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        _await(port, server)
        yield f"postgresql://{USER}@127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nothing in it is needed any more
        server.communicate(timeout=ENOUGH_S)
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody", "daemon") if name in names)


def _await(port: int, server: subprocess.Popen[str]) -> None:
    """Until it says itself that it accepts connections."""
    ready = program("pg_isready")
    for _ in range(int(ENOUGH_S)):
        done = subprocess.run([str(ready), "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "1"], check=False)
        if done.returncode == 0:
            return
        if server.poll() is not None:
            break
        with pytest.raises(subprocess.TimeoutExpired):
            server.wait(timeout=0.5)
    pytest.skip("PostgreSQL does not start here")


_numbers = iter(range(1_000_000))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    server = request.getfixturevalue("postgresql")
    name = f"store{next(_numbers)}"
    port = server.rpartition(":")[2]
    createdb = str(program("createdb"))
    subprocess.run([createdb, "-h", "127.0.0.1", "-p", port, "-U", USER, name], check=True)
    return f"{server}/{name}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await Store.open(StoreSettings(url=url))
    yield opened
    await opened.close()
